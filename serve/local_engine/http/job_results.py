"""What the jobs of one request generate, while its client listens."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from fastapi import Request

from serve.local_engine.scheduling.job import GenerationJob, TextChunk
from serve.middleware.refusal import RefusedError

if TYPE_CHECKING:
    from serve.local_engine.scheduling.scheduler import Scheduler


async def run_jobs(
    scheduler: "Scheduler", jobs: Sequence[GenerationJob], request: Request
) -> AsyncIterator[list[TextChunk]]:
    """Run the jobs of a request until all choices are finished or the client disconnects.

    Yields:
        The new chunks of one choice.
    """
    results = jobs[0].results

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        _cancel(jobs)
        results.put_nowait(None)

    watcher = asyncio.create_task(watch())
    unfinished = sum(job.request.n for job in jobs)
    try:
        for job in jobs:
            scheduler.submit(job)
        while unfinished:
            by_choice: dict[int, list[TextChunk]] = {}
            # Chunks that came while the client or the event loop was busy are sent together.
            for item in [await results.get(), *_take_available(results)]:
                if item is None:
                    return
                if isinstance(item, RefusedError):
                    raise item
                if isinstance(item, Exception):
                    text = "the engine stopped in the middle"
                    raise RefusedError(503, text, code="engine_stopped")
                by_choice.setdefault(item.index, []).append(item)
                unfinished -= item.finish_reason is not None
            for chunks in by_choice.values():
                yield chunks
    finally:
        _cancel(jobs)
        watcher.cancel()


def _cancel(jobs: Sequence[GenerationJob]) -> None:
    for job in jobs:
        job.cancelled = True


def _take_available(
    results: "asyncio.Queue[TextChunk | Exception | None]",
) -> list[TextChunk | Exception | None]:
    return [results.get_nowait() for _ in range(results.qsize())]
