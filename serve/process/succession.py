"""An engine that is to take the place of the running one: it loads beside it."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from serve.logs import log_event
from serve.process.engine_process import EngineProcess

_LOOK_INTERVAL = 1.0  # seconds between two looks for a successor
_POLL_INTERVAL = 0.2  # seconds between two checks of one that is loading


class RunningEngine(NamedTuple):
    """An engine that was started, and the task that ends with it."""

    engine: EngineProcess
    end: asyncio.Task[int]


class Succession:
    """Starts a successor when there is one, and hands it out when it answers.

    Args:
        make: Makes the successor's process, which is not started yet; None for no successor.
    """

    def __init__(self, make: Callable[[], EngineProcess | None]) -> None:
        self._make = make
        self._loading: RunningEngine | None = None
        self._answering: asyncio.Task[bool] | None = None
        self._looked_at = 0.0

    def find_ready(self) -> RunningEngine | None:
        """Return a successor that answers, once; look for one if none is loading."""
        if self._answering is None:
            self._look()
            return None
        if not self._answering.done():
            return None
        loaded, answers = self._loading, self._answering.result()
        self._loading = self._answering = None
        return loaded if answers else None

    def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._looked_at < _LOOK_INTERVAL:
            return
        self._looked_at = now
        engine = self._make()
        if engine is not None:
            engine.start()
            end = asyncio.create_task(asyncio.to_thread(engine.wait))
            self._loading = RunningEngine(engine, end)
            self._answering = asyncio.create_task(_wait_until_healthy(self._loading))

    def close(self) -> None:
        """End a successor that is still loading."""
        if self._loading is not None:
            self._loading.engine.kill()


async def _wait_until_healthy(successor: RunningEngine) -> bool:
    """Wait until an engine answers; return False if it ends before."""
    while not successor.end.done():
        if await successor.engine.is_healthy():
            return True
        await asyncio.wait({successor.end}, timeout=_POLL_INTERVAL)
    successor.engine.clean_up()
    log_event("engine not replaced", code=successor.end.result())
    return False
