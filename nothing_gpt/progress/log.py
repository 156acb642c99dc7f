"""Progress as lines of a log, with the remaining time."""

import sys
import time
from collections.abc import Callable

Advance = Callable[[str], None]
"""Called after each step with a short status text."""

_LOG_INTERVAL = 10
"""Seconds between lines in a log."""


def log_progress(title: str, steps: int, done: int = 0) -> Advance:
    """Return a function that prints a line every ten seconds, with the time that is left."""
    count = done
    first = printed = 0.0

    def advance(status: str) -> None:
        nonlocal count, first, printed
        count += 1
        now = time.monotonic()
        # Time is counted from the end of the first step, which can include compiling and an
        # evaluation.
        first = first or now
        if now - printed >= _LOG_INTERVAL or count == steps:
            printed = now
            timed = count - done - 1
            left = f"{(now - first) / timed * (steps - count):.0f} s left, " if timed else ""
            print(f"{title}: {count}/{steps}, {left}{status}", file=sys.stderr)

    return advance
