"""How long examples are, in tokens: of the data at hand, or of the reference's."""

import random
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from nothing_gpt.prompt.token_estimate import CHARACTERS_PER_TOKEN
from train.data.examples import ChatExample

_TEMPLATE = 20
"""Tokens of the chat template around an example's messages."""

_REFERENCE = (
    (0.0, 315),
    (0.01, 443),
    (0.05, 565),
    (0.25, 659),
    (0.5, 722),
    (0.75, 794),
    (0.9, 872),
    (0.99, 1061),
    (1.0, 1506),
)
"""Shares of the reference's 9,007 examples, and the tokens that they have at most."""

_LEARNED = 0.7
"""Share of the reference's tokens that are completions."""


@dataclass(frozen=True, slots=True)
class Length:
    """Tokens of an example, whole and learned from."""

    whole: int
    learned: int


@dataclass(frozen=True, slots=True)
class Lengths:
    """The lengths of a show's examples."""

    training: list[Length]
    held_out: list[Length]


def estimate_lengths(
    training: list[ChatExample], held_out: list[ChatExample], most: int
) -> Lengths:
    """Estimate lengths from characters; an example is cut to `most` tokens."""

    def estimate(example: ChatExample) -> Length:
        asked, answered = (
            sum(len(message["content"]) for message in example[part]) / CHARACTERS_PER_TOKEN
            for part in ("prompt", "completion")
        )
        whole = min(round(asked + answered) + _TEMPLATE, most)
        return Length(whole, max(0, whole - round(asked) - _TEMPLATE))

    return Lengths([estimate(e) for e in training], [estimate(e) for e in held_out])


def reference_lengths(most: int) -> Lengths:
    """Give the reference's 9,007 and 1,021 lengths, evenly drawn from their shares."""

    def draw(count: int) -> list[Length]:
        found = (min(_reference_length(i / (count - 1)), most) for i in range(count))
        return [Length(whole, round(whole * _LEARNED)) for whole in found]

    return Lengths(draw(9007), draw(1021))


def _reference_length(share: float) -> int:
    shares = [s for s, _ in _REFERENCE]
    i = min(bisect_right(shares, share), len(shares) - 1)
    (low, shortest), (high, longest) = _REFERENCE[i - 1], _REFERENCE[i]
    return round(shortest + (longest - shortest) * (share - low) / (high - low))


def count_batches(lengths: Sequence[Length], size: int, *, padded: bool) -> list[int]:
    """Return the tokens of each batch of one epoch, shuffled; with padding if it is `padded`."""
    order = [length.whole for length in lengths]
    random.Random(0).shuffle(order)  # noqa: S311
    batches = (order[i : i + size] for i in range(0, len(order), size))
    return [len(batch) * max(batch) if padded else sum(batch) for batch in batches]
