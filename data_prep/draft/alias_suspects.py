"""Names that may be another name of somebody in the cast."""

import difflib
import re
from collections.abc import Mapping

_TITLES = frozenset(["MR", "MRS", "MS", "MISS", "DR", "PROF", "SIR", "LADY", "LORD", "OFFICER"])
_NUMBER = re.compile(r"#?[0-9]+")
_WORD = re.compile(r"[^\s.\-]+")

_SIMILAR = 0.85  # by difflib; JULIE and JULIA have 0.8, KRAMER and KRAMMER 0.92
_RARE = 0.1
"""A misspelling is at most this share of the lines of the right name."""
_MIN_LENGTH = 5  # of a name that can be a misspelling


def find_suspects(name: str, counts: Mapping[str, int]) -> list[str]:
    """Find names with fewer lines that may be the same person, the most frequent first.

    Args:
        counts: The number of lines of each name.
    """
    fewer = [other for other, count in counts.items() if other != name and count < counts[name]]
    found = [
        other
        for other in fewer
        if _is_part(name, other) or _is_misspelling(name, other, counts[other] / counts[name])
    ]
    return sorted(found, key=lambda other: -counts[other])


def _is_part(name: str, other: str) -> bool:
    """Return whether one is the other with a title, a first name or a last name."""
    title, words = _split(name)
    other_title, other_words = _split(other)
    if title and other_title and title != other_title:
        return False
    short, long = sorted((words, other_words), key=len)
    if not short or any(_NUMBER.fullmatch(word) for word in long):
        return False
    return short in (long[: len(short)], long[-len(short) :])


def _split(name: str) -> tuple[str, list[str]]:
    words = _WORD.findall(name)
    return (words[0], words[1:]) if words[:1] and words[0] in _TITLES else ("", words)


def _is_misspelling(name: str, other: str, share: float) -> bool:
    if share > _RARE or min(len(name), len(other)) < _MIN_LENGTH or name[0] != other[0]:
        return False
    if any(character.isdigit() for character in name + other):
        return False
    return difflib.SequenceMatcher(None, name, other).ratio() >= _SIMILAR
