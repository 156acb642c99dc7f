import asyncio
from collections.abc import AsyncGenerator

import pytest

from demo.generation.stream import Progress
from demo.handlers.throttle import Throttle
from nothing_gpt.errors import UserError
from nothing_gpt.line import Line


def growing(text: str) -> Progress:
    return Progress(growing=Line("DOT", text))


NEXT = Progress(lines=(Line("DOT", "No."),))


def test_the_first_line_is_never_held_back_and_then_frames_keep_their_distance() -> None:
    async def stream() -> AsyncGenerator[Progress]:
        for step in (growing("N"), growing("No"), NEXT, growing("N"), NEXT, growing("O")):
            yield step

    async def collect(interval: float) -> list[Progress]:
        return [step async for step in Throttle(interval, interval_per_stream=0).slow(stream())]

    assert asyncio.run(collect(3600)) == [growing("N"), NEXT]
    assert asyncio.run(collect(0))[:3] == [growing("N"), growing("No"), NEXT]


def test_the_more_streams_there_are_the_rarer_each_is_drawn() -> None:
    async def stream(texts: str) -> AsyncGenerator[Progress]:
        for text in texts:
            yield growing(text)
            await asyncio.sleep(0.02)

    async def watch(streams: int) -> list[int]:
        throttle = Throttle(min_interval=0, interval_per_stream=0.05)

        async def count() -> int:
            return len([step async for step in throttle.slow(stream("abcdefgh"))])

        return await asyncio.gather(*[count() for _ in range(streams)])

    # Eight steps take at least 0.16 s: an interval of 50 s lets only the first one through.
    assert asyncio.run(watch(1))[0] > 1
    assert set(asyncio.run(watch(1000))) == {1}


def test_the_latest_is_shown_when_the_stream_stalls() -> None:
    stalled = asyncio.Event()

    async def stream() -> AsyncGenerator[Progress]:
        for text in ("N", "No", "Not"):
            yield growing(text)
        await stalled.wait()

    async def watch() -> list[Progress]:
        steps = Throttle(min_interval=0.01, interval_per_stream=0).slow(stream())
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
        steps = Throttle().slow(stream())
        await anext(steps)
        await steps.aclose()

    asyncio.run(stop())
    assert ends == ["cancelled"]

    async def broken() -> AsyncGenerator[Progress]:
        yield growing("N")
        raise UserError("gone")

    async def exhaust() -> None:
        async for _ in Throttle().slow(broken()):
            pass

    with pytest.raises(UserError, match="gone"):
        asyncio.run(exhaust())


def test_a_silent_stream_still_shows_a_pulse_by_which_a_page_that_went_is_noticed() -> None:
    async def stream() -> AsyncGenerator[Progress]:
        yield growing("N")
        await asyncio.Event().wait()

    async def watch() -> list[Progress]:
        steps = Throttle(keepalive=0.01).slow(stream())
        seen = [await anext(steps) for _ in range(3)]
        await steps.aclose()
        return seen

    assert asyncio.run(watch()) == [growing("N")] * 3
