"""How many votes it takes to tell a win rate from one half."""

import math
from statistics import NormalDist

from nothing_gpt.votes.share import CONFIDENCE

_POWER = 0.8


def count_needed_votes(rate: float) -> int | None:
    """Return the votes with which a win rate is told from one half, in four of five trials.

    The sample size of a two-sided test of a proportion against one half, at 5% and with a power of
    80%, by the normal approximation (Fleiss, Levin and Paik, Statistical Methods for Rates and
    Proportions, 3rd edition, chapter 2). None if the rate is one half.
    """
    if rate == 0.5:
        return None
    under_half = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * 0.5
    under_rate = NormalDist().inv_cdf(_POWER) * math.sqrt(rate * (1 - rate))
    return math.ceil(((under_half + under_rate) / (rate - 0.5)) ** 2)
