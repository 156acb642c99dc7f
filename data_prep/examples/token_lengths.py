"""How many tokens the examples have, counted in batches."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from data_prep.examples.tokenizer import Counter
from data_prep.examples.windows import TrainingExample

OVERHEAD = 20
"""Tokens that a Llama 3 chat template adds to the contents of system, user and assistant."""

MAX_LENGTH = 2048
"""Tokens of an example that the full-size training configuration keeps."""

_BATCH = 256


@dataclass(frozen=True, slots=True)
class TokenLengths:
    """Tokens of one example: the whole with the template's overhead, and the answer alone."""

    total: int
    completion: int


@dataclass(frozen=True, slots=True)
class LengthSummary:
    """How some lengths, in tokens, are spread."""

    minimum: int
    maximum: int
    mean: float
    p50: int
    p90: int
    p95: int
    p99: int


@dataclass(frozen=True, slots=True)
class TokenStatistics:
    """The spread of all examples' lengths, and how many are longer than training keeps."""

    tokenizer: str
    overhead: int
    total: LengthSummary
    completion: LengthSummary
    max_length: int
    over_max_length: int
    share_over_max_length: float


def count_lengths(examples: Sequence[TrainingExample], counter: Counter) -> list[TokenLengths]:
    """Count every example's tokens.

    The contents are counted as one text without separators, which is how the figures were
    counted that these are compared with. It is a token less here and there than one by one.
    """
    lengths: list[TokenLengths] = []
    for start in range(0, len(examples), _BATCH):
        batch = examples[start : start + _BATCH]
        answers = ["".join(m["content"] for m in e["completion"]) for e in batch]
        wholes = [
            "".join(m["content"] for m in e["prompt"]) + answer
            for e, answer in zip(batch, answers, strict=True)
        ]
        lengths += map(TokenLengths, (n + OVERHEAD for n in counter(wholes)), counter(answers))
    return lengths


def summarize_lengths(lengths: Sequence[TokenLengths], tokenizer: str) -> TokenStatistics:
    """Boil lengths down to what a person wants to know before training."""
    over = sum(length.total > MAX_LENGTH for length in lengths)
    return TokenStatistics(
        tokenizer=tokenizer,
        overhead=OVERHEAD,
        total=_spread(length.total for length in lengths),
        completion=_spread(length.completion for length in lengths),
        max_length=MAX_LENGTH,
        over_max_length=over,
        share_over_max_length=over / len(lengths),
    )


def _spread(values: Iterable[int]) -> LengthSummary:
    ordered = sorted(values)
    least, most = ordered[0], ordered[-1]
    # A lone value has no quantiles; near the ends of a short list they run past it.
    cuts = statistics.quantiles(ordered if len(ordered) > 1 else ordered * 2, n=100)
    p50, p90, p95, p99 = (round(min(max(cuts[q - 1], least), most)) for q in (50, 90, 95, 99))
    return LengthSummary(least, most, round(statistics.fmean(ordered), 2), p50, p90, p95, p99)
