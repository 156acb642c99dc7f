"""Cleaning: script lines from speeches, with a reason for each speech that is dropped."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache, partial

from data_prep.episode import Episode, Speech, Turn
from nothing_gpt.line import Line, collapse, is_name
from nothing_gpt.show import Show

_ASIDE = re.compile(r"\([^)]*\)")


class Reason(StrEnum):
    """Why a speech is dropped."""

    NO_EPISODE = "no episode"
    NO_CHARACTER = "no character"
    NO_DIALOGUE = "no dialogue"
    NOT_A_NAME = "not a character's name"
    STAGE_BUSINESS = "stage business in place of a name"
    ONLY_ASIDE = "nothing but an aside"


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The result of cleaning.

    Attributes:
        episodes: In order of first appearance.
        dropped: For each reason, the dropped texts and how often each occurred.
    """

    episodes: list[Episode]
    dropped: dict[Reason, Counter[str]] = field(default_factory=dict)


def clean_speeches(speeches: Iterable[Speech], show: Show) -> Cleaned:
    """Turn speeches into lines and group them by episode; drop those that are not lines."""
    turns: dict[str, list[Turn]] = {}
    dropped: dict[Reason, Counter[str]] = defaultdict(Counter)
    find_name = cache(partial(_find_name, show.aliases, frozenset(show.corpus.stage_business)))
    for speech in speeches:
        line = _clean(speech, find_name)
        if isinstance(line, Reason):
            dropped[line][_describe(speech, line)] += 1
        else:
            turn = Turn(line, speech.premise, speech.setting)
            turns.setdefault(speech.episode, []).append(turn)
    episodes = [Episode(name, kept) for name, kept in turns.items()]
    return Cleaned(episodes, {reason: dropped[reason] for reason in Reason if reason in dropped})


def _clean(speech: Speech, find_name: Callable[[str], str | Reason]) -> Line | Reason:
    if not speech.episode:
        return Reason.NO_EPISODE
    if not speech.character:
        return Reason.NO_CHARACTER
    if not speech.dialogue:
        return Reason.NO_DIALOGUE
    name = find_name(speech.character)
    if isinstance(name, Reason):
        return name
    text = collapse(_ASIDE.sub("", speech.dialogue))
    return Line(name, text) if text else Reason.ONLY_ASIDE


def _find_name(
    aliases: Mapping[str, str], business: Collection[str], character: str
) -> str | Reason:
    name = collapse(_ASIDE.sub("", character.upper()))
    name = aliases.get(name, name)
    if not is_name(name):
        return Reason.NOT_A_NAME
    return Reason.STAGE_BUSINESS if name in business else name


def _describe(speech: Speech, reason: Reason) -> str:
    """Return the part of a dropped speech that shows the reason, for the report."""
    if reason in (Reason.NOT_A_NAME, Reason.STAGE_BUSINESS, Reason.NO_DIALOGUE):
        return collapse(speech.character)
    return collapse(f"{speech.character}: {speech.dialogue}")
