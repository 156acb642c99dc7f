"""Lengths of examples in tokens: of a show's data, or of the reference's."""

import random
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from nothing_gpt.prompt.token_estimate import CHARACTERS_PER_TOKEN
from train.data.chat_example import ChatExample

_TEMPLATE = 20
"""Tokens that the chat template adds to an example's messages."""

_QUANTILES = (
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
"""Quantiles of the tokens of the reference's 9,007 examples."""

_LEARNED = 0.7
"""Share of the reference's tokens that belong to completions."""


@dataclass(frozen=True, slots=True)
class Length:
    """Tokens of an example: all, and those that are learned from."""

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
    """Estimate lengths from characters; examples are cut to `most` tokens."""

    def estimate(example: ChatExample) -> Length:
        asked, answered = (
            sum(len(message["content"]) for message in example[part]) / CHARACTERS_PER_TOKEN
            for part in ("prompt", "completion")
        )
        whole = min(round(asked + answered) + _TEMPLATE, most)
        return Length(whole, max(0, whole - round(asked) - _TEMPLATE))

    return Lengths([estimate(e) for e in training], [estimate(e) for e in held_out])


def reference_lengths(most: int) -> Lengths:
    """Return 9,007 and 1,021 lengths, spread evenly over the reference's quantiles."""

    def spread(count: int) -> list[Length]:
        whole_lengths = (min(_reference_length(i / (count - 1)), most) for i in range(count))
        return [Length(whole, round(whole * _LEARNED)) for whole in whole_lengths]

    return Lengths(spread(9007), spread(1021))


def _reference_length(share: float) -> int:
    shares = [s for s, _ in _QUANTILES]
    i = min(bisect_right(shares, share), len(shares) - 1)
    (low, shortest), (high, longest) = _QUANTILES[i - 1], _QUANTILES[i]
    return round(shortest + (longest - shortest) * (share - low) / (high - low))


def count_batches(lengths: Sequence[Length], size: int, *, padded: bool) -> list[int]:
    """Return the tokens of each batch of a shuffled epoch; `padded` counts padding too."""
    order = [length.whole for length in lengths]
    random.Random(0).shuffle(order)  # noqa: S311
    batches = (order[i : i + size] for i in range(0, len(order), size))
    return [len(batch) * max(batch) if padded else sum(batch) for batch in batches]
