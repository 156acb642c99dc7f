import asyncio
from typing import Any

import pytest

from serve.middleware.refusal import RefusedError
from serve.middleware.request.body import MAX_BODY_BYTES, BodyReader

MIB = 1024 * 1024


class SlowClient:
    """A client that sends a part of a body, and the rest when `go` is set."""

    def __init__(self, size: int, rest: bytes = b"") -> None:
        self.go = asyncio.Event()
        self.parts = [b"x" * size, rest]

    async def receive(self) -> Any:
        if len(self.parts) == 1:
            await self.go.wait()
        part = self.parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(self.parts)}


async def start(reader: BodyReader, client: SlowClient) -> "asyncio.Task[bytes]":
    task = asyncio.create_task(reader.read(client.receive))
    while len(client.parts) > 1:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    return task


def test_a_body_is_whole_however_it_comes() -> None:
    async def run() -> None:
        reader, client = BodyReader(10), SlowClient(5, b"yz")
        task = await start(reader, client)
        client.go.set()
        assert await task == b"xxxxxyz"

    asyncio.run(run())


def test_unfinished_bodies_hold_a_bounded_memory() -> None:
    async def run() -> None:
        reader = BodyReader(10, max_total_bytes=4 * MIB)
        small = SlowClient(100, b"end")
        others = [SlowClient(size * MIB // 8, b"end") for size in (8, 5, 6, 7, 8, 4, 3, 2)]
        tasks = [await start(reader, client) for client in (small, *others)]
        assert reader.total_bytes <= 4 * MIB
        for client in (small, *others):
            client.go.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert results[0] == b"x" * 100 + b"end"
        refused = [result for result in results if isinstance(result, RefusedError)]
        assert 0 < len(refused) < len(others)
        assert {error.status for error in refused} == {503}
        assert reader.total_bytes == 0

    asyncio.run(run())


def test_a_body_over_the_limit_is_not_kept() -> None:
    async def run() -> None:
        reader, client = BodyReader(10), SlowClient(MAX_BODY_BYTES + 1)
        task = await start(reader, client)
        assert reader.total_bytes == 0
        client.go.set()
        with pytest.raises(RefusedError) as caught:
            await task
        assert caught.value.status == 413

    asyncio.run(run())


def test_a_body_that_breaks_off_leaves_nothing() -> None:
    async def run() -> None:
        reader, client = BodyReader(0.05), SlowClient(MIB)
        task = await start(reader, client)
        with pytest.raises(RefusedError) as caught:
            await task
        assert caught.value.status == 408
        assert reader.total_bytes == 0

    asyncio.run(run())
