"""Detection of repetition: small models often begin to repeat lines."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from nothing_gpt.line import Line

MAX_CYCLE = 4
"""Longest cycle to look for, in lines."""

MIN_SIMILARITY = 0.85
"""Share of words in the same order at which two lines count as equal."""

LONG_CYCLE_WORDS = 12
"""Words in a cycle from which two rounds are a repetition. A shorter exchange can be a joke that
is told twice, so it needs three rounds."""

_WORD = re.compile(r"[^\W_]+")
_SpokenWords = tuple[str, list[str]]
"""A speaker and the words of a line in lower case."""


def find_repetition(lines: Sequence[Line]) -> int | None:
    """Find a repetition at the end of the lines; return the length of its cycle in lines.

    In a cycle the same speakers say nearly the same words in the same order. A long one counts
    after two rounds, a short one after three. A long line also counts when the speaker says it
    for the third time, whatever is between.
    """
    recent = [
        (line.speaker, _WORD.findall(line.text.casefold())) for line in lines[-3 * MAX_CYCLE :]
    ]
    for length in range(1, MAX_CYCLE + 1):
        rounds = 1
        last = recent[-length:]
        while len(recent) >= length * (rounds + 1) and _is_same(
            recent[-length * (rounds + 1) : -length * rounds], last
        ):
            rounds += 1
        needed = 2 if sum(len(words) for _, words in last) >= LONG_CYCLE_WORDS else 3
        if rounds >= needed:
            return length
    if recent and len(recent[-1][1]) >= LONG_CYCLE_WORDS:
        last = recent[-1:]
        if sum(_is_same([each], last) for each in recent) >= 3:
            return 1
    return None


def _is_same(one: Sequence[_SpokenWords], other: Sequence[_SpokenWords]) -> bool:
    return all(a[0] == b[0] and _is_similar(a[1], b[1]) for a, b in zip(one, other, strict=True))


def _is_similar(one: list[str], other: list[str]) -> bool:
    if one == other:
        return True
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.quick_ratio() >= MIN_SIMILARITY and matcher.ratio() >= MIN_SIMILARITY
