"""Cleaning: script lines from speeches, with a reason for each speech that is dropped."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from data_prep.episode import Episode, Speech, Turn
from data_prep.examples.names import NameFinder, remove_asides
from data_prep.examples.reason import Reason
from nothing_gpt.line import Line, collapse
from nothing_gpt.show import Corpus, Show


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The result of cleaning.

    Attributes:
        episodes: In order of first appearance.
        dropped: For each reason, the dropped texts and how often each occurred.
        dropped_lines: For each reason, the number of the source's lines.
        lines: The number of the source's lines of all speeches.
        kept: The number of speeches that became turns.
        first_places: The file and the line where each speaker speaks first.
    """

    episodes: list[Episode]
    dropped: dict[Reason, Counter[str]] = field(default_factory=dict)
    dropped_lines: dict[Reason, int] = field(default_factory=dict)
    lines: int = 0
    kept: int = 0
    first_places: dict[str, tuple[str, int]] = field(default_factory=dict)


def clean_speeches(speeches: list[Speech], show: Show) -> Cleaned:
    """Turn speeches into lines and group them by episode; drop those that are not lines.

    A speech of several people becomes a line of each, if the show wants that. The list is empty
    afterwards, so that the speeches of a large source and its turns are not in memory together.
    """
    turns: dict[str, list[Turn]] = {}
    dropped: dict[Reason, Counter[str]] = defaultdict(Counter)
    dropped_lines: Counter[Reason] = Counter()
    first_places: dict[str, tuple[str, int]] = {}
    finder = NameFinder(show, (speech.character for speech in speeches))
    episode, kept = "", list[Turn]()
    source_lines = count = 0
    speeches.reverse()
    while speeches:
        speech = speeches.pop()
        source_lines += speech.lines
        lines = _clean(speech, finder, show.corpus)
        if isinstance(lines, Reason):
            dropped[lines][_describe(speech, lines)] += 1
            dropped_lines[lines] += speech.lines
            continue
        count += 1
        if speech.episode != episode:
            episode = speech.episode
            kept = turns.setdefault(episode, [])
        for line in lines:
            kept.append(Turn(line, speech.premise, speech.setting))
            if line.speaker not in first_places:
                first_places[line.speaker] = (speech.file, speech.line)
    reasons = [reason for reason in Reason if reason in dropped]
    return Cleaned(
        episodes=[Episode(name, kept) for name, kept in turns.items()],
        dropped={reason: dropped[reason] for reason in reasons},
        dropped_lines={reason: dropped_lines[reason] for reason in reasons},
        lines=source_lines,
        kept=count,
        first_places=first_places,
    )


def _clean(speech: Speech, finder: NameFinder, corpus: Corpus) -> list[Line] | Reason:
    if not speech.episode:
        return Reason.NO_EPISODE
    if not speech.character:
        return Reason.NO_CHARACTER
    if not speech.dialogue:
        return Reason.NO_DIALOGUE
    names = finder.find(speech.character)
    if isinstance(names, Reason):
        return names
    text = remove_asides(speech.dialogue, nested=corpus.nested_asides)
    return [Line(name, text) for name in names] if text else Reason.ONLY_ASIDE


def _describe(speech: Speech, reason: Reason) -> str:
    """Return the part of a dropped speech that shows the reason, for the report."""
    if reason in (Reason.NO_EPISODE, Reason.NO_CHARACTER, Reason.ONLY_ASIDE):
        return collapse(f"{speech.character}: {speech.dialogue}")
    return collapse(speech.character)
