"""Progress bars with the time left, on a terminal and in a log alike."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[str], None]
"""Call it after each step, with a word on how it goes."""


@contextmanager
def bar(title: str, steps: int, done: int = 0) -> Iterator[Advance]:
    """Show a bar over so many steps; where there is no terminal, a line every ten seconds."""
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
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=steps, completed=done, note="")
        yield lambda note: progress.update(task, advance=1, note=note)


def _log_lines(title: str, steps: int, done: int) -> Advance:
    count = done
    begun = shown = 0.0

    def advance(note: str) -> None:
        nonlocal count, begun, shown
        count += 1
        now = time.monotonic()
        # The first step says nothing of the rest: compiling and evaluating may come before it.
        begun = begun or now
        if now - shown >= 10 or count == steps:
            shown = now
            left = (now - begun) / max(count - done - 1, 1) * (steps - count)
            print(f"{title}: {count}/{steps}, {left:.0f} s left, {note}", file=sys.stderr)

    return advance
