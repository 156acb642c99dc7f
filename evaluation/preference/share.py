"""A share of votes with its interval, and how many votes it takes to see one."""

import math
from dataclasses import dataclass

from scipy.special import ndtri
from scipy.stats import binomtest

CONFIDENCE = 0.95
POWER = 0.8


@dataclass(frozen=True, slots=True)
class Share:
    """How many of some votes went one way."""

    count: int
    total: int

    @property
    def value(self) -> float:
        """The share; NaN without votes."""
        return self.count / self.total if self.total else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95% interval; all from 0 to 1 without votes."""
        if not self.total:
            return 0.0, 1.0
        found = binomtest(self.count, self.total).proportion_ci(CONFIDENCE, method="wilson")
        return float(found.low), float(found.high)

    @property
    def is_clear(self) -> bool:
        """Whether the interval excludes one half."""
        low, high = self.interval
        return low > 0.5 or high < 0.5

    def describe(self) -> str:
        """Return the share, the interval and the number, such as 70% [56, 81] of 47."""
        if not self.total:
            return "no votes yet"
        low, high = self.interval
        return f"{self.value:.0%} [{100 * low:.0f}, {100 * high:.0f}] of {self.total}"


def count_needed_votes(rate: float) -> int | None:
    """Return the votes with which a win rate is told from one half, in four of five trials.

    The sample size of a two-sided test of a proportion against one half, at 5% and with a power of
    80%, by the normal approximation (Fleiss, Levin and Paik, Statistical Methods for Rates and
    Proportions, 3rd edition, chapter 2). None if the rate is one half.
    """
    if rate == 0.5:
        return None
    under_half = float(ndtri((1 + CONFIDENCE) / 2)) * 0.5
    under_rate = float(ndtri(POWER)) * math.sqrt(rate * (1 - rate))
    return math.ceil(((under_half + under_rate) / (rate - 0.5)) ** 2)
