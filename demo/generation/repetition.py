"""Tells when a scene has begun to go round in circles, as small models do."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from nothing_gpt.line import Line

CYCLE = 4
"""Longest cycle of lines that is looked for."""

ALIKE = 0.85
"""Share of two lines' words, in order, from which the lines count as the same."""

WORDS = 12
"""Words that a cycle must say before one repetition of it is enough. A short exchange is often
a joke's second telling; three times in a row it is none."""

_WORD = re.compile(r"[^\W_]+")


def find_loop(lines: Sequence[Line]) -> int | None:
    """Tell whether lines end in a repetition: of how many lines is what is being repeated.

    A cycle is the same speakers with nearly the same words in the same order, twice in a row if
    it says much, three times if it says little. A line that says much also counts when the
    speaker has said it twice lately, whatever lay between.
    """
    said = [(line.speaker, _WORD.findall(line.text.casefold())) for line in lines[-3 * CYCLE :]]
    for length in range(1, CYCLE + 1):
        rounds = 1
        last = said[-length:]
        while len(said) >= length * (rounds + 1) and _same(
            said[-length * (rounds + 1) : -length * rounds], last
        ):
            rounds += 1
        needed = 2 if sum(len(words) for _, words in last) >= WORDS else 3
        if rounds >= needed:
            return length
    if said and len(said[-1][1]) >= WORDS and sum(_same([one], said[-1:]) for one in said) >= 3:
        return 1
    return None


_Said = tuple[str, list[str]]


def _same(one: Sequence[_Said], other: Sequence[_Said]) -> bool:
    return all(a[0] == b[0] and _alike(a[1], b[1]) for a, b in zip(one, other, strict=True))


def _alike(one: list[str], other: list[str]) -> bool:
    if one == other:
        return True
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE
