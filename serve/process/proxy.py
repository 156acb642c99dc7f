"""The port that clients see: connections are handed on to the engine behind it, byte by byte.

While there is no engine that answers (it loads, it stops, it is started again), the door says so
itself. Nothing of what passes is read, apart from the time that it takes to come.
"""

import asyncio
import json
from typing import cast

from serve.middleware.gateway import make_error

_HEAD = 20.0  # seconds for a new connection to send the head of its first request
_LARGEST = 64 * 1024  # bytes of a head
_IDLE = 600.0  # seconds without a byte in either direction; a long completion is silent
_CONNECTIONS = 4000
_LINGER = 2.0  # seconds to take in what a client still sends after it was sent away


class Proxy:
    """Hands connections on to a Unix socket, or says why not.

    Attributes:
        closed: Why nobody gets in, as a code and a message; None while the engine answers.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.closed: tuple[str, str] | None = ("loading", "the model is still loading")
        self.open_ones: set[_Visitor] = set()

    def visit(self) -> "_Visitor":
        """Take in a connection; asyncio's servers call this."""
        return _Visitor(self)


class _Side(asyncio.Protocol):
    """One side of a connection, which writes what the other side reads."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: _Side | None = None
        self.last = asyncio.get_running_loop().time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.last = asyncio.get_running_loop().time()
        if self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.other is not None:
            self.other.part()

    def part(self) -> None:
        """End this side, because the other one has ended."""
        if self.transport is not None:
            self.transport.close()


class _Visitor(_Side):
    """A client's side."""

    def __init__(self, door: Proxy) -> None:
        super().__init__()
        self._door, self._head, self._parting = door, bytearray(), False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._door.open_ones.add(self)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_HEAD, self._close)

    def data_received(self, data: bytes) -> None:
        if self._parting:
            return
        if self.other is not None and self.other.transport is not None:
            super().data_received(data)
        elif self.other is not None:
            self._head += data
        else:
            # The whole head first, so that a slow client costs the engine nothing.
            self._head += data
            if b"\r\n\r\n" in self._head[:_LARGEST]:
                self._timer.cancel()
                self._enter()
            elif len(self._head) > _LARGEST:
                self._send_away(431, "head_too_large", "the request's head is too large")

    def _enter(self) -> None:
        if self._door.closed is not None:
            self._send_away(503, *self._door.closed)
        elif len(self._door.open_ones) > _CONNECTIONS:
            self._send_away(503, "connections", "too many connections")
        else:
            if self.transport is not None:
                self.transport.pause_reading()
            self.other = _Side()
            self._task = asyncio.create_task(self._connect(self.other))

    async def _connect(self, side: _Side) -> None:
        side.other = self
        try:
            loop = asyncio.get_running_loop()
            await loop.create_unix_connection(lambda: side, self._door.path)
        except OSError:
            self.other = None
            self._send_away(503, "restarting", "the engine is being started again")
            return
        if self.transport is None or self.transport.is_closing():
            if side.transport is not None:
                side.transport.close()
            return
        super().data_received(bytes(self._head))
        self._head.clear()
        self.transport.resume_reading()
        self._timer = asyncio.get_running_loop().call_later(_IDLE, self._look)

    def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        last = max(self.last, self.other.last if self.other else 0.0)
        if now - last >= _IDLE:
            self._close()
        else:
            self._timer = asyncio.get_running_loop().call_later(_IDLE, self._look)

    def _send_away(self, status: int, code: str, message: str) -> None:
        kind = "server_error" if status >= 500 else "invalid_request_error"
        body = json.dumps(make_error(f"{message}; try again soon", kind, code=code)).encode()
        head = (
            f"HTTP/1.1 {status} Unavailable\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nretry-after: 5\r\nconnection: close\r\n\r\n"
        )
        if self.transport is not None:
            self.transport.write(head.encode() + body)
        self.part()

    def part(self) -> None:
        """Say no more, and take in what the client still sends: else it may miss the answer."""
        self._parting = True
        self._timer.cancel()
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()
            self.transport.write_eof()
            self._timer = asyncio.get_running_loop().call_later(_LINGER, self._close)

    def _close(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        self._door.open_ones.discard(self)
        super().connection_lost(exc)
