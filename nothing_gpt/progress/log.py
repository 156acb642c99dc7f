"""Progress as lines of a log, with the remaining time."""

import sys
import time
from collections.abc import Callable

from nothing_gpt.progress.record import record_progress

Advance = Callable[[str], None]
"""Called after each step with a short status text."""

_LOG_INTERVAL = 10
"""Seconds between lines in a log."""

_RECORD_INTERVAL = 1
"""Seconds between records for another program."""


def log_progress(title: str, steps: int, done: int = 0) -> Advance:
    """Return a function that prints a line every ten seconds, with the time that is left."""
    count = done
    first = printed = recorded = 0.0
    record_progress({"title": title, "done": done, "steps": steps})

    def advance(status: str) -> None:
        nonlocal count, first, printed, recorded
        count += 1
        now = time.monotonic()
        # Time is counted from the end of the first step, which can include compiling and an
        # evaluation.
        first = first or now
        timed = count - done - 1
        seconds = round((now - first) / timed * (steps - count)) if timed else None
        if now - recorded >= _RECORD_INTERVAL or count == steps:
            recorded = now
            values = {"title": title, "done": count, "steps": steps, "seconds_left": seconds}
            record_progress(values)
        if now - printed >= _LOG_INTERVAL or count == steps:
            printed = now
            left = "" if seconds is None else f"{seconds} s left, "
            print(f"{title}: {count}/{steps}, {left}{status}", file=sys.stderr)

    return advance
