"""The body of a request, read whole before Gradio sees the request."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from starlette.types import Message, Receive

MAX_BYTES = 16 * 2**20
"""Largest body. The largest that the page sends are a scene with all its versions, which a
browser keeps in five million characters, and the file of a script."""

MAX_UNFINISHED = 64 * 2**20
"""Bytes of all unfinished bodies together."""

SECONDS = 60.0
"""Time for a body to arrive."""

DRAIN_SECONDS = 2.0
"""Time for the rest of a refused body."""


class RefusedBodyError(Exception):
    """A body that is not accepted; `status` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class BodyReader:
    """Reads bodies within the limits."""

    def __init__(
        self,
        *,
        max_bytes: int = MAX_BYTES,
        max_unfinished: int = MAX_UNFINISHED,
        seconds: float = SECONDS,
    ) -> None:
        self._max_bytes = max_bytes
        self._max_unfinished = max_unfinished
        self._seconds = seconds
        self._unfinished = 0

    async def read(self, headers: Mapping[str, str], receive: Receive) -> Receive:
        """Read a body; return a `receive` that gives it at once.

        Raises:
            RefusedBodyError: it is too large or too slow, or others have filled the memory.
        """
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > self._max_bytes:
            raise self._too_large()
        if length == "0" and "transfer-encoding" not in headers:
            return receive
        try:
            async with asyncio.timeout(self._seconds):
                return _replay(await self._read_whole(receive), receive)
        except TimeoutError:
            raise RefusedBodyError(408, "the request took too long to arrive") from None

    async def _read_whole(self, receive: Receive) -> Message:
        body = bytearray()
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return message
                chunk = message.get("body", b"")
                self._unfinished += len(chunk)
                body += chunk
                if len(body) > self._max_bytes:
                    raise self._too_large()
                if self._unfinished > self._max_unfinished:
                    raise RefusedBodyError(503, "too many large requests at once")
                if not message.get("more_body"):
                    return {"type": "http.request", "body": bytes(body), "more_body": False}
        finally:
            self._unfinished -= len(body)

    def _too_large(self) -> RefusedBodyError:
        return RefusedBodyError(413, f"a request can have at most {self._max_bytes:,} bytes")


async def drain(receive: Receive) -> None:
    """Read on for a moment: a client that is still sending can miss an answer before its end."""
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            while (await receive()).get("more_body"):
                pass


def _replay(first: Message, receive: Receive) -> Receive:
    pending = [first]

    async def receive_next() -> Message:
        return pending.pop() if pending else await receive()

    return receive_next
