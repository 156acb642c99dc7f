"""The split: the episodes that are held out for validation."""

import random
from collections.abc import Iterable

from nothing_gpt.show import Split


def hold_out(episodes: Iterable[str], split: Split) -> frozenset[str]:
    """Draw the ids of the held-out episodes; their order makes no difference.

    Of two or more episodes at least one is held out. A single episode is not held out.
    """
    drawn = sorted(episodes)
    random.Random(split.seed).shuffle(drawn)  # noqa: S311 - reproducible, not secret
    count = int(split.held_out * len(drawn))
    return frozenset(drawn[: max(count, 1) if len(drawn) > 1 else 0])
