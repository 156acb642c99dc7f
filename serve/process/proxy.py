"""The proxy at the port: it forwards connections to the engine's Unix socket, byte by byte.

While no engine answers, because it is loading, restarting or stopping, the proxy itself answers
with 503. It parses nothing; it only looks for the end of the first request's head.
"""

import asyncio
import json
import re
from typing import NamedTuple, cast

from serve.middleware.error_body import default_error_type, make_error

_HEAD_TIMEOUT = 20.0  # seconds for a new connection to send the head of its first request
_MAX_HEAD_BYTES = 64 * 1024
_IDLE_TIMEOUT = 600.0  # seconds without a byte in either direction; a long completion is silent
KEEP_ALIVE = 90
"""Seconds that an engine keeps an idle connection; clients' pools keep theirs for 75 or less."""

_MAX_CONNECTIONS = 4000
_UPGRADE = re.compile(rb"\r\nupgrade:(\s*h2c\r\n)", re.IGNORECASE)
"""An offer to change to HTTP/2, which Java's client makes with each request.

The engines' web server stops reading at it, and loses the body. No JSON can have this line.
"""

_LINGER = 2.0  # seconds to read what a client still sends after it was refused


class Unavailable(NamedTuple):
    """Why requests are refused at the moment."""

    code: str
    message: str


LOADING = Unavailable("loading", "the model is still loading")
RESTARTING = Unavailable("restarting", "the engine failed and is started again")
DRAINING = Unavailable("draining", "the server is stopping")


class Proxy:
    """Forwards connections to a Unix socket, or refuses them.

    Attributes:
        path: The socket's path.
        unavailable: Why requests are refused; None while the engine answers.
        connections: The open connections of clients.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.unavailable: Unavailable | None = LOADING
        self.connections: set[_ClientConnection] = set()

    def accept(self) -> "_ClientConnection":
        """Make the protocol of a new connection; asyncio's servers call this."""
        return _ClientConnection(self)


class _Connection(asyncio.Protocol):
    """One of two joined connections: it writes what the other one reads."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: _Connection | None = None
        self.last_read_at = asyncio.get_running_loop().time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.last_read_at = asyncio.get_running_loop().time()
        if b"h2c" in data:
            # A header of the same length that means nothing.
            data = _UPGRADE.sub(rb"\r\nignored:\1", data)
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
            self.other.close()

    def close(self) -> None:
        """Close this connection after what was written to it is sent."""
        if self.transport is not None:
            self.transport.close()


class _ClientConnection(_Connection):
    """A client's connection; `other` is the engine's, once the head of a request has come."""

    def __init__(self, proxy: Proxy) -> None:
        super().__init__()
        self._proxy, self._head, self._closing = proxy, bytearray(), False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._proxy.connections.add(self)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_HEAD_TIMEOUT, self._abort)

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        if self.other is not None and self.other.transport is not None:
            super().data_received(data)
        elif self.other is not None:
            self._head += data
        else:
            # Connected only after a whole head, so that slow clients cost the engine nothing.
            self._head += data
            if b"\r\n\r\n" in self._head[:_MAX_HEAD_BYTES]:
                self._timer.cancel()
                self._admit()
            elif len(self._head) > _MAX_HEAD_BYTES:
                self._refuse(431, "head_too_large", "the request's head is too large")

    def _admit(self) -> None:
        if self._proxy.unavailable is not None:
            self._refuse(503, *self._proxy.unavailable)
        elif len(self._proxy.connections) > _MAX_CONNECTIONS:
            self._refuse(503, "connections", "too many connections")
        else:
            if self.transport is not None:
                self.transport.pause_reading()
            self.other = _Connection()
            self._task = asyncio.create_task(self._connect(self.other))

    async def _connect(self, engine: _Connection) -> None:
        engine.other = self
        try:
            loop = asyncio.get_running_loop()
            await loop.create_unix_connection(lambda: engine, self._proxy.path)
        except OSError:
            self.other = None
            self._refuse(503, "restarting", "the engine is being started again")
            return
        if self.transport is None or self.transport.is_closing():
            engine.close()
            return
        super().data_received(bytes(self._head))
        self._head.clear()
        self.transport.resume_reading()
        self._timer = asyncio.get_running_loop().call_later(_IDLE_TIMEOUT, self._check_idle)

    def _check_idle(self) -> None:
        now = asyncio.get_running_loop().time()
        last = max(self.last_read_at, self.other.last_read_at if self.other else 0.0)
        if now - last >= _IDLE_TIMEOUT:
            self._abort()
        else:
            self._timer = asyncio.get_running_loop().call_later(_IDLE_TIMEOUT, self._check_idle)

    def _refuse(self, status: int, code: str, message: str) -> None:
        error = make_error(f"{message}; try again soon", default_error_type(status), code=code)
        body = json.dumps(error).encode()
        head = (
            f"HTTP/1.1 {status} Unavailable\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nretry-after: 5\r\nconnection: close\r\n\r\n"
        )
        if self.transport is not None:
            self.transport.write(head.encode() + body)
        self.close()

    def close(self) -> None:
        """Send nothing more, and read on for a moment.

        A client that is still sending can miss its answer if the connection is closed at once.
        """
        self._closing = True
        self._timer.cancel()
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()
            self.transport.write_eof()
            self._timer = asyncio.get_running_loop().call_later(_LINGER, self._abort)

    def _abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        self._proxy.connections.discard(self)
        super().connection_lost(exc)
