"""Slows a stream down to what eyes can follow, so that one fast model leaves others their turn."""

import asyncio
from collections.abc import AsyncGenerator
from time import monotonic

from demo.client import Progress

FRAME = 0.04
"""Seconds between two drawings of the growing line, however fast its tokens come."""


async def pace(steps: AsyncGenerator[Progress], frame: float = FRAME) -> AsyncGenerator[Progress]:
    """Give finished lines at once, and of what only grows the latest, once a frame.

    What came last is given even when nothing follows it for a while.
    """
    upcoming = asyncio.ensure_future(anext(steps, None))
    latest, due = None, 0.0
    try:
        while True:
            waiting = None if latest is None else max(0.0, due - monotonic())
            await asyncio.wait([upcoming], timeout=waiting)
            if upcoming.done():
                latest = upcoming.result()
                if latest is None:
                    return
                upcoming = asyncio.ensure_future(anext(steps, None))
            if latest and (latest.lines or monotonic() >= due):
                step, latest = latest, None
                yield step
                due = monotonic() + frame
    finally:
        upcoming.cancel()
        await asyncio.gather(upcoming, return_exceptions=True)
