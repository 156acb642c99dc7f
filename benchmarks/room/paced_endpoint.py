"""OpenAI-compatible server with a fixed pace, whose text holds the times at which it was sent.

    python -m benchmarks.room.paced_endpoint PORT TOKENS_PER_SECOND

`benchmarks.room.room_load` starts it. Times are seconds on the machine's monotonic clock, which
all processes share.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator

CAST = ("DOT", "FELIX", "JUNE", "BEA")
TOKENS = 12
"""Tokens per line."""

STAMP = " ended="
"""Token that is followed by the time at which it was sent."""

_OPEN = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: %s\r\n\r\n"


def tokens(received: float) -> Iterator[str]:
    """Yield an endless scene; its first line holds the request's time and its own end's time."""
    yield "[DOT]"
    yield f" asked={received:.6f}"
    yield from [f" w{i}" for i in range(TOKENS - 3)]
    yield STAMP
    number = 1
    while True:
        yield f"[{CAST[number % len(CAST)]}]"
        yield f" n{number}."
        # All lines differ, so the room's repetition check does not stop the scene.
        yield from [f" w{number}x{i}" for i in range(TOKENS - 3)]
        yield ".\n"
        number += 1


class PacedServer:
    """Server that records when each request arrived and when its client disconnected."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._seen: dict[int, dict[str, float]] = {}

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the one request of a connection."""
        received = time.monotonic()
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int((head.partition("content-length: ")[2] or "0").split("\r\n")[0])
            body = await reader.readexactly(length)
            path = head.split(" ")[1]
            if path.endswith("/chat/completions"):
                await self._stream(json.loads(body), reader, writer, received)
            else:
                data: object = {"object": "list", "data": [{"id": "paced", "object": "model"}]}
                data = self._seen if path.endswith("/seen") else data
                writer.write(_OPEN % b"application/json" + json.dumps(data).encode())
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client disconnected, which the stream has recorded
        finally:
            writer.close()

    async def _stream(
        self,
        body: dict[str, int],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        received: float,
    ) -> None:
        seen = self._seen[body["seed"]] = {"asked": received}
        writer.write(_OPEN % b"text/event-stream")
        gone = asyncio.ensure_future(reader.read(1))  # returns once the client has closed
        try:
            for count, token in enumerate(tokens(received)):
                wait = max(0.0, received + count / self._rate - time.monotonic())
                if (await asyncio.wait([gone], timeout=wait))[0]:
                    return
                text = f"{token}{time.monotonic():.6f}\n" if token is STAMP else token
                choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
                chunk = {"id": "1", "object": "chat.completion.chunk", "created": 0}
                event = json.dumps({**chunk, "model": "paced", "choices": [choice]})
                writer.write(f"data: {event}\n\n".encode())
                await writer.drain()
        finally:
            gone.cancel()
            seen["gone"] = time.monotonic()


async def main(port: int, rate: float) -> None:
    """Serve until the process is killed."""
    # The backlog must hold everybody who connects at once.
    server = await asyncio.start_server(PacedServer(rate).answer, "127.0.0.1", port, backlog=512)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
