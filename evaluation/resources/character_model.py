"""A character model: how surprising a text is to somebody who knows only a show's letters."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

ORDER = 6
"""Characters in an n-gram: one that is predicted, and the five before it."""

_BITS = 10
"""Bits of a character's code, so that an n-gram fits 64 bits."""

_OTHER = 0
"""The code of all characters that training did not have, or had too rarely."""

_PADDING = "\n" * (ORDER - 1)

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class CharacterModel:
    """N-gram counts of all orders, interpolated by Witten and Bell's rule.

    Attributes:
        alphabet: The code of each known character, from 1.
        grams: For each order from 1: the sorted n-grams, and how often each occurs.
    """

    alphabet: dict[str, int]
    grams: tuple[tuple[Codes, Codes], ...]

    def count_bits(self, text: str, before: str = "") -> float:
        """Return the bits that the characters of a text take after the characters before it."""
        start = (_PADDING + before)[-len(_PADDING) :]
        codes = _encode(start + text, self.alphabet)
        # The probability of a character, first from a uniform distribution.
        probability = np.full(len(text), 1 / (len(self.alphabet) + 1))
        for order in range(1, ORDER + 1):
            grams = _join(codes, order)[len(start) + 1 - order :]
            counts = _look_up(self.grams[order - 1], grams)
            follows, kinds = self._look_up_history(order, grams >> _BITS)
            seen = follows + kinds
            mixed = (counts + kinds * probability) / np.maximum(seen, 1)
            probability = np.where(seen > 0, mixed, probability)
        return float(-np.log2(probability).sum())

    def _look_up_history(self, order: int, history: Codes) -> tuple[Codes, Codes]:
        """Return how many characters followed each history in training, and how many kinds."""
        keys, follows, kinds = self._histories[order - 1]
        return _look_up((keys, follows), history), _look_up((keys, kinds), history)

    @cached_property
    def _histories(self) -> list[tuple[Codes, Codes, Codes]]:
        found = []
        for grams, counts in self.grams:
            keys, starts = np.unique(grams >> _BITS, return_index=True)
            kinds = np.diff(np.append(starts, len(grams)))
            found.append((keys, np.add.reduceat(counts, starts), kinds))
        return found


def learn_characters(texts: Sequence[str]) -> CharacterModel:
    """Count the n-grams of texts, such as episodes."""
    counts = Counter("\n".join(texts))
    frequent = [character for character, _ in counts.most_common((1 << _BITS) - 1)]
    alphabet = {character: code for code, character in enumerate(frequent, 1)}
    codes = _encode("".join(_PADDING + text for text in texts), alphabet)
    grams = [np.unique(_join(codes, order), return_counts=True) for order in range(1, ORDER + 1)]
    return CharacterModel(alphabet, tuple(grams))


def _encode(text: str, alphabet: dict[str, int]) -> Codes:
    return np.array([alphabet.get(character, _OTHER) for character in text], dtype=np.int64)


def _join(codes: Codes, order: int) -> Codes:
    """Return the n-gram that ends at each position, as one number each."""
    size = len(codes) - order + 1
    grams = np.zeros(size, dtype=np.int64)
    for offset in range(order):
        grams = (grams << _BITS) | codes[offset : offset + size]
    return grams


def _look_up(table: tuple[Codes, Codes], keys: Codes) -> Codes:
    """Return the value of each key; 0 for those that are not in the sorted table."""
    sorted_keys, values = table
    at = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
    return np.where(sorted_keys[at] == keys, values[at], 0)
