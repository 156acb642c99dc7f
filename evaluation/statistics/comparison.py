"""A comparison of two models by a permutation over episodes, for all rows together."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from evaluation.statistics.ratio import Ratio

LEVEL = 0.05
"""The probability that two equal models get a verdict in any row."""

LEAST_WINDOWS = 30
"""Disjoint windows below which there is no verdict."""

_DRAWS = 10_000
_SEED = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """How two models differ in one row.

    Attributes:
        value: The first less the second.
        probability: How often equal models would differ so much in any row.
    """

    value: float
    probability: float

    @property
    def is_seen(self) -> bool:
        """Whether the probability is small enough for a verdict."""
        return self.probability <= LEVEL


def compare_models(first: Sequence[Ratio], second: Sequence[Ratio]) -> list[Difference]:
    """Compare two models' rows over the same episodes.

    If the models are equal, the names of the two are exchangeable in every episode. So all
    exchanges are tried, or 10,000 of them. Each row's difference is divided by its spread over the
    exchanges. A row's probability is the share of exchanges whose largest difference of any row is
    at least that of the row.
    """
    a, b = _stack(first), _stack(second)
    keep = _list_exchanges(a.shape[-1])
    # The first exchange is none: what was observed. Rows with nothing to count differ by NaN.
    differences = _measure_ratios(a, b, keep) - _measure_ratios(b, a, keep)
    sizes = np.abs(np.nan_to_num(differences))
    spread = np.sqrt(np.square(sizes).mean(axis=0))
    scaled = sizes / np.where(spread > 0, spread, np.inf)
    highest = scaled.max(axis=1)
    # Equal sums can differ in their last digits.
    observed = scaled[0] - 1e-9
    return [
        Difference(float(value), float(np.mean(highest >= least)))
        for value, least in zip(differences[0], observed, strict=True)
    ]


def _stack(ratios: Sequence[Ratio]) -> NDArray[np.float64]:
    """Return an array of (amounts or sizes, row, episode)."""
    amounts = [ratio.amounts for ratio in ratios]
    return np.array([amounts, [ratio.sizes for ratio in ratios]])


def _list_exchanges(episodes: int) -> NDArray[np.float64]:
    """Return for each exchange which episodes keep their names (1) or swap them (0)."""
    if 2**episodes <= _DRAWS:
        return np.array(list(product((1.0, 0.0), repeat=episodes)))
    keep = np.random.default_rng(_SEED).integers(0, 2, (_DRAWS, episodes)).astype(float)
    keep[0] = 1
    return keep


def _measure_ratios(
    own: NDArray[np.float64], other: NDArray[np.float64], keep: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the value of each row (column) in each exchange (row)."""
    amounts, sizes = keep @ own.swapaxes(1, 2) + (1 - keep) @ other.swapaxes(1, 2)
    values: NDArray[np.float64] = np.divide(
        amounts, sizes, out=np.full_like(amounts, np.nan), where=sizes > 0
    )
    return values
