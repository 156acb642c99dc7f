"""A share of votes with its interval, and what two shares say of the votes themselves."""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

CONFIDENCE = 0.95
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)

_FIRST_SHOWN = (0.45, 0.55)
"""How often the first of two texts can win if their places do not matter."""

LEAST_AGREEMENT = 0.75
"""How often the same text must win when two are judged again."""


LEAST_VOTES = 200
"""Votes below which a preference is hardly told from chance."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many of some votes went one way; a vote can count in part."""

    count: float
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
        n, p = self.total, self.value
        middle = p + _Z**2 / (2 * n)
        spread = _Z * sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
        low, high = ((middle + side) / (1 + _Z**2 / n) for side in (-spread, spread))
        # The interval of all or nothing ends there, but for rounding.
        return (low if p else 0.0), (high if p < 1 else 1.0)

    @property
    def is_clear(self) -> bool:
        """Whether the interval excludes one half."""
        low, high = self.interval
        return low > 0.5 or high < 0.5

    def __str__(self) -> str:
        """Return the share, the interval and the number, such as 70% [56, 81] of 47."""
        if not self.total:
            return "no votes yet"
        low, high = self.interval
        return f"{self.value:.0%} [{100 * low:.0f}, {100 * high:.0f}] of {self.total}"


def depends_on_place(first_won: Share) -> bool:
    """Return whether the places of two texts decide which of them wins."""
    low, high = first_won.interval
    return high < _FIRST_SHOWN[0] or low > _FIRST_SHOWN[1]


def is_guessed(agreement: Share) -> bool:
    """Return whether voters choose differently when they judge the same two texts again."""
    return agreement.interval[1] < LEAST_AGREEMENT
