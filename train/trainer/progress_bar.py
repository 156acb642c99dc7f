"""Progress bars with the remaining time, for a terminal and for a log."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[str], None]
"""Called after each step with a short status text."""

_LOG_INTERVAL = 10
"""Seconds between lines in a log."""


@contextmanager
def show_progress(title: str, steps: int, done: int = 0) -> Iterator[Advance]:
    """Show a bar of `steps` steps; without a terminal, print a line every ten seconds."""
    if sys.stderr.isatty():
        with _terminal_bar(title, steps, done) as advance:
            yield advance
    else:
        yield _log_lines(title, steps, done)


@contextmanager
def _terminal_bar(title: str, steps: int, done: int) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[status]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=steps, completed=done, status="")
        yield lambda status: progress.update(task, advance=1, status=status)


def _log_lines(title: str, steps: int, done: int) -> Advance:
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
