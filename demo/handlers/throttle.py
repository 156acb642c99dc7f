"""A throttle for streams, so that one fast model does not block the other tabs."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeVar

from demo.generation.stream import Progress

MIN_INTERVAL = 0.04
"""Least seconds between two updates of one stream."""

INTERVAL_PER_STREAM = 0.01
"""Least seconds between two updates of one stream, for each stream in the room. An update costs
the room 1 to 2 ms: 50 streams with 25 updates a second each would take all of its time."""

KEEPALIVE = 0.5
"""Seconds after which a silent stream repeats its last step. Gradio notices that a page has gone
only when it sends something, and the server must not go on writing then."""

T = TypeVar("T")


@dataclass
class Throttle:
    """Slows all streams of a room: the more there are, the rarer each is updated."""

    min_interval: float = MIN_INTERVAL
    interval_per_stream: float = INTERVAL_PER_STREAM
    keepalive: float = KEEPALIVE
    _streams: int = field(default=0, init=False)

    async def slow(self, steps: AsyncGenerator[T]) -> AsyncGenerator[T]:
        """Yield the latest step once an interval, and the first with a whole line at once.

        A step without a successor is still yielded after the interval, and then repeated.
        """
        upcoming = asyncio.ensure_future(anext(steps, None))
        latest: T | None = None
        shown: T | None = None
        due, waiting = 0.0, True
        self._streams += 1
        try:
            while True:
                pause = self.keepalive if latest is None else max(0.0, due - monotonic())
                await asyncio.wait([upcoming], timeout=pause)
                if upcoming.done():
                    latest = upcoming.result()
                    if latest is None:
                        return
                    upcoming = asyncio.ensure_future(anext(steps, None))
                elif latest is None:
                    latest = shown
                if latest is None:
                    continue
                first_line = waiting and isinstance(latest, Progress) and bool(latest.lines)
                if first_line or monotonic() >= due:
                    waiting = waiting and not first_line
                    shown, latest = latest, None
                    yield shown
                    interval = self.interval_per_stream * self._streams
                    due = monotonic() + max(self.min_interval, interval)
        finally:
            self._streams -= 1
            upcoming.cancel()
            await asyncio.gather(upcoming, return_exceptions=True)
