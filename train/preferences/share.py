"""A share of trials with its 95% interval."""

from dataclasses import dataclass
from math import sqrt

_Z = 1.96


@dataclass(frozen=True, slots=True)
class Share:
    """How many of some trials succeeded; a trial can succeed in part."""

    successes: float
    trials: int

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval; everything is possible without trials."""
        if not self.trials:
            return 0.0, 1.0
        n, p = self.trials, self.successes / self.trials
        middle = p + _Z**2 / (2 * n)
        spread = _Z * sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
        return (middle - spread) / (1 + _Z**2 / n), (middle + spread) / (1 + _Z**2 / n)

    def __str__(self) -> str:
        low, high = self.interval
        value = self.successes / self.trials if self.trials else 0.0
        return f"{value:.0%} [{low:.0%}, {high:.0%}] of {self.trials}"
