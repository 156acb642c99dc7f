"""A draft of a show: what scripts say of its cast and its scenes, and nothing else."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from data_prep.draft.alias_suspects import find_suspects
from data_prep.episode import Episode, Reading
from data_prep.examples.cleaning import clean_speeches
from data_prep.examples.windows import merge_turns
from nothing_gpt.errors import UserError
from nothing_gpt.line import is_name, to_name
from nothing_gpt.show import Character, Corpus, Show, Windows

_MIN_SHARE = 0.01
_MAX_CAST = 12
_MIN_LINES = 2

_ENOUGH_WINDOWS = 50
_WINDOWS = (Windows(), Windows(24, 4, 8, 2), Windows(12, 3, 6, 1), Windows(6, 1, 3, 1))
"""The reference's windows, and smaller ones for scripts too short for them."""

_MARKER_WORDS = ("SETTING", "SCENE", "LOCATION")


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in the cast.

    Attributes:
        share: Of all lines.
        suspects: Names that may be the same person, with their lines.
    """

    name: str
    share: float
    suspects: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ShowDraft:
    """A show as far as its scripts tell it.

    Attributes:
        others: The number of speakers that are not in the cast.
        count: The number of windows that the scripts give.
    """

    name: str
    title: str
    source: str
    cast: tuple[Member, ...]
    others: int
    episodes: int
    windows: Windows
    count: int
    setting_markers: tuple[str, ...] = ()


def draft_show(name: str, title: str, source: str, reading: Reading) -> ShowDraft:
    """Draft a show from its speeches.

    Raises:
        UserError: nobody in the scripts has a name that a line can have.
    """
    markers = _find_markers(reading)
    episodes = _clean(reading, source, markers)
    counts = Counter(turn.line.speaker for episode in episodes for turn in episode.turns)
    if not counts:
        raise UserError(f"{source}: no speaker with a name in it; is it a script?")
    windows, count = _choose_windows([len(merge_turns(episode.turns)) for episode in episodes])
    cast = _choose_cast(counts)
    known = {member.name for member in cast} | {n for m in cast for n, _ in m.suspects}
    others = len(counts.keys() - known)
    return ShowDraft(name, title, source, cast, others, len(episodes), windows, count, markers)


def _clean(reading: Reading, source: str, markers: Sequence[str]) -> list[Episode]:
    """Clean the speeches by a show whose cast is the first name that a line can have."""
    names = (to_name(speech.character) for speech in reading.speeches)
    first = next((name for name in names if is_name(name)), "")
    if not first:
        return []
    show = Show("draft", "", (Character(first),), Corpus(source, ""))
    marked = tuple(marker.upper() for marker in markers)
    spoken = [s for s in reading.speeches if not s.character.upper().startswith(marked)]
    return clean_speeches(spoken, show).episodes


def _find_markers(reading: Reading) -> tuple[str, ...]:
    """Find the starts of names that tell the setting, such as `[Scene`."""
    bracketed = {s.character.upper() for s in reading.speeches if s.character[:1] in ("[", "(")}
    return tuple(
        f"{bracket}{word.capitalize()}"
        for bracket in "[("
        for word in _MARKER_WORDS
        if any(name.startswith(f"{bracket}{word}") for name in bracketed)
    )


def _choose_cast(counts: Counter[str]) -> tuple[Member, ...]:
    total = counts.total()
    named = [
        name
        for name, count in counts.most_common()
        if count >= max(_MIN_LINES, _MIN_SHARE * total)
    ] or [name for name, _ in counts.most_common(_MAX_CAST)]
    cast: list[Member] = []
    taken: set[str] = set()
    for name in named:
        if name in taken or len(cast) == _MAX_CAST:
            continue
        suspects = [other for other in find_suspects(name, counts) if other not in taken]
        taken.update(suspects)
        cast.append(
            Member(name, counts[name] / total, tuple((each, counts[each]) for each in suspects))
        )
    return tuple(cast)


def _choose_windows(lengths: Sequence[int]) -> tuple[Windows, int]:
    """Choose the largest windows of which the episodes, of these numbers of turns, give enough."""

    def count(windows: Windows) -> int:
        return sum(
            len(range(0, length - windows.minimum + 1, windows.stride)) for length in lengths
        )

    counts = [(windows, count(windows)) for windows in _WINDOWS]
    return next((each for each in counts if each[1] >= _ENOUGH_WINDOWS), counts[-1])
