import asyncio
from typing import Any

import httpx

from serve.gate import Gate, Settings


class Slow:
    """An engine that answers when it is told to."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] != "/health":
            await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})


def test_more_requests_than_there_is_room_for_are_sent_away_at_once() -> None:
    async def check() -> None:
        engine = Slow()
        gate = Gate(engine, Settings("base", {}, max_requests=2))
        transport = httpx.ASGITransport(app=gate)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            path = "/v1/chat/completions"
            held = [asyncio.create_task(client.post(path)) for _ in range(2)]
            await asyncio.sleep(0)
            while True:
                turned_away = await client.post(path)
                if turned_away.status_code == 429:
                    break
            assert int(turned_away.headers["retry-after"]) >= 1
            assert turned_away.json()["error"]["code"] == "queue_full"
            assert (await client.get("/health")).status_code == 200
            engine.go.set()
            assert [answer.status_code for answer in await asyncio.gather(*held)] == [200, 200]
            assert (await client.post(path)).status_code == 200

    asyncio.run(check())
