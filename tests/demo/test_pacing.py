import asyncio
from collections.abc import AsyncGenerator

import pytest

from demo.client import Progress
from demo.pacing import has_lines, pace
from nothing_gpt.errors import UserError
from nothing_gpt.line import Line


def growing(text: str) -> Progress:
    return Progress(growing=Line("DOT", text))


NEXT = Progress(lines=(Line("DOT", "No."),))


def test_finished_lines_are_never_held_back_or_lost() -> None:
    async def stream() -> AsyncGenerator[Progress]:
        for step in (growing("N"), growing("No"), NEXT, growing("N"), NEXT, NEXT):
            yield step

    async def collect() -> list[Progress]:
        return [step async for step in pace(stream(), has_lines, frame=3600)]

    assert asyncio.run(collect()) == [growing("N"), NEXT, NEXT, NEXT]


def test_the_latest_is_shown_when_the_stream_stalls() -> None:
    stalled = asyncio.Event()

    async def stream() -> AsyncGenerator[Progress]:
        for text in ("N", "No", "Not"):
            yield growing(text)
        await stalled.wait()

    async def watch() -> list[Progress]:
        steps = pace(stream(), has_lines, frame=0.01)
        seen = [await anext(steps), await anext(steps)]
        await steps.aclose()
        return seen

    assert asyncio.run(watch()) == [growing("N"), growing("Not")]


def test_stopping_reaches_the_stream_and_its_faults_come_through() -> None:
    ends: list[str] = []

    async def stream() -> AsyncGenerator[Progress]:
        try:
            yield growing("N")
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise

    async def stop() -> None:
        steps = pace(stream(), has_lines)
        await anext(steps)
        await steps.aclose()

    asyncio.run(stop())
    assert ends == ["cancelled"]

    async def broken() -> AsyncGenerator[Progress]:
        yield growing("N")
        raise UserError("gone")

    async def exhaust() -> None:
        async for _ in pace(broken(), has_lines):
            pass

    with pytest.raises(UserError, match="gone"):
        asyncio.run(exhaust())


def test_a_silent_stream_still_shows_a_pulse_by_which_a_page_that_went_is_noticed() -> None:
    async def stream() -> AsyncGenerator[Progress]:
        yield growing("N")
        await asyncio.Event().wait()

    async def watch() -> list[Progress]:
        steps = pace(stream(), has_lines, pulse=0.01)
        seen = [await anext(steps) for _ in range(3)]
        await steps.aclose()
        return seen

    assert asyncio.run(watch()) == [growing("N")] * 3
