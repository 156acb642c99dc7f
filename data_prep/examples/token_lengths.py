"""The lengths of the examples in tokens, counted in batches."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from data_prep.examples.tokenizer import Counter
from data_prep.examples.windows import TrainingExample

OVERHEAD = 20
"""Tokens that the chat template of Llama 3 adds to the three messages of an example."""

MAX_LENGTH = 2048
"""Longest example in tokens that the full-size training configuration keeps whole."""

_BATCH = 256


@dataclass(frozen=True, slots=True)
class TokenLengths:
    """The lengths of one example in tokens.

    `total` includes the template's overhead; `completion` is the answer alone.
    """

    total: int
    completion: int


@dataclass(frozen=True, slots=True)
class LengthSummary:
    """The distribution of lengths in tokens."""

    minimum: int
    maximum: int
    mean: float
    p50: int
    p90: int
    p95: int
    p99: int


@dataclass(frozen=True, slots=True)
class TokenStatistics:
    """The distribution of all examples' lengths, and how many exceed training's maximum."""

    tokenizer: str
    overhead: int
    total: LengthSummary
    completion: LengthSummary
    max_length: int
    over_max_length: int
    share_over_max_length: float


def count_lengths(examples: Sequence[TrainingExample], counter: Counter) -> list[TokenLengths]:
    """Count the tokens of every example.

    The contents of an example's messages are joined without separators and tokenized as one text,
    as for the known figures that these are compared with. The result is sometimes a token less
    than the sum over the messages.
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
    """Summarize lengths for the report."""
    over = sum(length.total > MAX_LENGTH for length in lengths)
    return TokenStatistics(
        tokenizer=tokenizer,
        overhead=OVERHEAD,
        total=_summarize(length.total for length in lengths),
        completion=_summarize(length.completion for length in lengths),
        max_length=MAX_LENGTH,
        over_max_length=over,
        share_over_max_length=over / len(lengths),
    )


def _summarize(values: Iterable[int]) -> LengthSummary:
    ordered = sorted(values)
    least, most = ordered[0], ordered[-1]
    # A single value has no quantiles, and those of a short list can lie outside its range.
    cuts = statistics.quantiles(ordered if len(ordered) > 1 else ordered * 2, n=100)
    p50, p90, p95, p99 = (round(min(max(cuts[q - 1], least), most)) for q in (50, 90, 95, 99))
    return LengthSummary(least, most, round(statistics.fmean(ordered), 2), p50, p90, p95, p99)
