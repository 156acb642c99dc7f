"""The strengths of more than two models, by the Bradley-Terry model."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nothing_gpt.votes.share import CONFIDENCE

LEAST_CONTEXTS = 10
"""Contexts below which drawing them again says little."""

_DRAWS = 1_000
_SEED = 0
_PRIOR = 0.5
"""A win either way for each two models: one that always wins would have no finite strength."""

_PRECISION = 1e-7

Win = tuple[str, str]
"""The labels of the winner and of the loser."""


@dataclass(frozen=True, slots=True)
class Strength:
    """How often a model wins against the others, each of them equally often, with an interval."""

    label: str
    value: float
    low: float
    high: float


def measure_strengths(
    labels: Sequence[str], contexts: Mapping[str, Sequence[Win]]
) -> list[Strength]:
    """Fit the model to wins, and to wins of contexts that are drawn again and again.

    Args:
        contexts: The wins by context, because votes on one context depend on each other. With
            fewer than ten there is no result.
    """
    if len(contexts) < LEAST_CONTEXTS:
        return []
    wins = np.array([_count_wins(labels, own) for own in contexts.values()])
    draw = np.random.default_rng(_SEED)
    weights = draw.multinomial(len(wins), [1 / len(wins)] * len(wins), _DRAWS)
    values, *fits = _fit(np.tensordot(np.vstack([np.ones(len(wins)), weights]), wins, 1))
    low, high = np.quantile(fits, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
    return [
        Strength(label, float(values[at]), float(low[at]), float(high[at]))
        for at, label in enumerate(labels)
    ]


def _count_wins(labels: Sequence[str], wins: Sequence[Win]) -> NDArray[np.float64]:
    counts = Counter(wins)
    return np.array([[counts[winner, loser] for loser in labels] for winner in labels], float)


def _fit(wins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each model's mean probability of a win.

    Args:
        wins: Of rows against columns, any number of such tables.

    The most likely strengths are found by minorisation and maximisation (Hunter, MM algorithms for
    generalized Bradley-Terry models, Annals of Statistics 32, 2004), for all tables at once.
    """
    count = wins.shape[-1]
    others = 1 - np.eye(count)
    wins = wins + _PRIOR * others
    comparisons, won = wins + wins.swapaxes(-1, -2), wins.sum(axis=-1)
    strengths = np.full(won.shape, 1 / count)
    change = 1.0
    while change > _PRECISION:
        sums = strengths[..., :, None] + strengths[..., None, :]
        found = won / (comparisons / sums).sum(axis=-1)
        found /= found.sum(axis=-1, keepdims=True)
        change = float(np.abs(found - strengths).max())
        strengths = found
    chances = strengths[..., :, None] / (strengths[..., :, None] + strengths[..., None, :])
    means: NDArray[np.float64] = (chances * others).sum(axis=-1) / (count - 1)
    return means
