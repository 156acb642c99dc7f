"""A ratio of sums over episodes, with an interval that takes episodes as a whole."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from evaluation.rows.tally import Tally

Sums = NDArray[np.float64]
"""A sum for each episode."""

CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False)
class Ratio:
    """A row's value for a set of passages.

    The lines of an episode depend on each other, so its error is that of a ratio of episodes' sums
    (linearised), and its interval has Student's t for their number.
    """

    amounts: Sums
    sizes: Sums

    @property
    def value(self) -> float:
        """The ratio; NaN if nothing was counted."""
        size = float(self.sizes.sum())
        return float(self.amounts.sum()) / size if size else float("nan")

    @property
    def error(self) -> float:
        """The standard error; NaN for fewer than two episodes."""
        return _to_error(self.influences[self.sizes > 0])

    @property
    def influences(self) -> Sums:
        """What each episode contributes to the error; nothing if it has nothing to count."""
        size = self.sizes.sum()
        if not size:
            return np.full(len(self.sizes), np.nan)
        return np.asarray((self.amounts - self.value * self.sizes) / size)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval; NaN for fewer than two episodes."""
        spread = (
            float(stdtrit(np.count_nonzero(self.sizes) - 1, (1 + CONFIDENCE) / 2)) * self.error
        )
        return self.value - spread, self.value + spread


def measure_difference(first: Ratio, second: Ratio) -> tuple[float, float]:
    """Return the difference of two ratios over the same episodes, and its standard error."""
    counted = (first.sizes > 0) | (second.sizes > 0)
    error = _to_error((first.influences - second.influences)[counted])
    return first.value - second.value, error


def add_tallies(tallies: Iterable[Tally], episodes: Sequence[str]) -> Ratio:
    """Add tallies up, an episode each, in the order given."""
    amounts, sizes = np.zeros(len(episodes)), np.zeros(len(episodes))
    order = {episode: at for at, episode in enumerate(episodes)}
    for tally in tallies:
        amounts[order[tally.episode]] += tally.amount
        sizes[order[tally.episode]] += tally.size
    return Ratio(amounts, sizes)


def _to_error(influences: Sums) -> float:
    count = len(influences)
    if count < 2:
        return float("nan")
    return float(np.sqrt(count / (count - 1) * np.square(influences).sum()))
