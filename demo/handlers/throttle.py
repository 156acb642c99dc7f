"""Slows a stream down to what eyes can follow, so that one fast model leaves others their turn."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeVar

from demo.generation.client import Progress

FRAME = 0.04
"""Seconds between two drawings of one stream, however fast its tokens come."""

SHARE = 0.01
"""Seconds between two drawings of one stream, for each stream in the room. A drawing costs the
room 1 to 2 ms: 50 streams at 25 drawings a second each would leave nobody a turn."""

PULSE = 0.5
"""Seconds after which a silent stream shows its line again: only when something is shown does
Gradio notice that the page has gone, and the server must not write for nobody."""


T = TypeVar("T")


@dataclass
class Throttle:
    """The pace of all streams of a room: the more there are, the rarer each is drawn."""

    frame: float = FRAME
    share: float = SHARE
    pulse: float = PULSE
    _streams: int = field(default=0, init=False)

    async def slow(self, steps: AsyncGenerator[T]) -> AsyncGenerator[T]:
        """Give the latest step once a frame, and the first that completes a line at once.

        What came last is given even when nothing follows it for a while, and then once a pulse.
        """
        upcoming = asyncio.ensure_future(anext(steps, None))
        latest: T | None = None
        shown: T | None = None
        due, waiting = 0.0, True
        self._streams += 1
        try:
            while True:
                pause = self.pulse if latest is None else max(0.0, due - monotonic())
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
                urgent = waiting and isinstance(latest, Progress) and bool(latest.lines)
                if urgent or monotonic() >= due:
                    waiting = waiting and not urgent
                    shown, latest = latest, None
                    yield shown
                    due = monotonic() + max(self.frame, self.share * self._streams)
        finally:
            self._streams -= 1
            upcoming.cancel()
            await asyncio.gather(upcoming, return_exceptions=True)
