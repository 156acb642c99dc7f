"""Progress bars with the remaining time, for a terminal and for a log."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from nothing_gpt.progress.log import Advance, log_progress


@contextmanager
def show_progress(title: str, steps: int, done: int = 0) -> Iterator[Advance]:
    """Show a bar of `steps` steps; without a terminal, print a line every ten seconds."""
    if sys.stderr.isatty():
        with _terminal_bar(title, steps, done) as advance:
            yield advance
    else:
        yield log_progress(title, steps, done)


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
