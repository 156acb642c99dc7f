"""Slows a stream down to what eyes can follow, so that one fast model leaves others their turn."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from time import monotonic
from typing import TypeVar

from demo.client import Progress

FRAME = 0.04
"""Seconds between two drawings of the growing line, however fast its tokens come."""

SHARE = 0.01
"""Seconds that everybody waits longer between two drawings for each stream in the room. A drawing
costs Gradio 2 ms: with 50 streams at 25 drawings a second each, nobody would see anything."""

_streams: set[object] = set()

PULSE = 0.5
"""Seconds after which a silent stream shows its line again: only when something is shown does
Gradio notice that the page has gone, and the server must not write for nobody."""


T = TypeVar("T")


def has_lines(step: Progress) -> bool:
    """Whether a step of a continuation completes a line, which is shown at once."""
    return bool(step.lines)


async def pace(
    steps: AsyncGenerator[T],
    urgent: Callable[[T], bool],
    frame: float = FRAME,
    pulse: float = PULSE,
) -> AsyncGenerator[T]:
    """Give urgent steps at once, and of the others the latest, once a frame.

    What came last is given even when nothing follows it for a while, and then once a pulse.
    """
    upcoming = asyncio.ensure_future(anext(steps, None))
    latest: T | None = None
    shown: T | None = None
    due = 0.0
    try:
        while True:
            waiting = pulse if latest is None else max(0.0, due - monotonic())
            await asyncio.wait([upcoming], timeout=waiting)
            if upcoming.done():
                latest = upcoming.result()
                if latest is None:
                    return
                upcoming = asyncio.ensure_future(anext(steps, None))
            elif latest is None:
                latest = shown
            if latest is not None and (urgent(latest) or monotonic() >= due):
                shown, latest = latest, None
                yield shown
                due = monotonic() + frame
    finally:
        upcoming.cancel()
        await asyncio.gather(upcoming, return_exceptions=True)
