"""Which episodes are held out for validation."""

import random
from collections.abc import Iterable

from nothing_gpt.show import Split


def hold_out(episodes: Iterable[str], split: Split) -> frozenset[str]:
    """Draw the held-out episodes by id, whatever order they come in.

    At least one of two or more episodes is held out; a lone episode never is.
    """
    drawn = sorted(episodes)
    random.Random(split.seed).shuffle(drawn)  # noqa: S311 - a draw to repeat, not a secret
    count = int(split.held_out * len(drawn))
    return frozenset(drawn[: max(count, 1) if len(drawn) > 1 else 0])
