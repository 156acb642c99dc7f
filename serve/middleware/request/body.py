"""The body of a request for a completion: reading it within limits, checking and changing it."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from serve.middleware.asgi import AsgiMessage, Receive, Scope
from serve.middleware.refusal import RefusedError

MAX_BODY_BYTES = 1024 * 1024
"""More than fits into any context that is served here."""

_MAX_DISCARDED_BYTES = 32 * MAX_BODY_BYTES


_MAX_TOTAL_BYTES = 64 * MAX_BODY_BYTES
"""What all unfinished bodies may hold together."""


@dataclass(slots=True, eq=False)
class _Unfinished:
    """A body that is being read: its size in memory, and the time at which it is given up."""

    deadline: asyncio.Timeout
    size: int = 0
    dropped: bool = False

    def drop(self) -> None:
        """Give the body up now."""
        if not self.deadline.expired():
            self.dropped = True
            self.deadline.reschedule(0)


class BodyReader:
    """Reads whole bodies. All unfinished ones together hold a bounded memory.

    Over the bound, the largest unfinished body is dropped. So clients that send a part and then
    nothing cannot keep out those who send their body at once.

    Args:
        timeout: Seconds for a whole body to arrive.

    Attributes:
        total_bytes: What the unfinished bodies hold.
    """

    def __init__(self, timeout: float, *, max_total_bytes: int = _MAX_TOTAL_BYTES) -> None:
        self._timeout, self._max_total_bytes = timeout, max_total_bytes
        self._unfinished: set[_Unfinished] = set()
        self.total_bytes = 0

    async def read(self, receive: Receive) -> bytes:
        """Read a whole body.

        Raises:
            RefusedError: the body is too large, too slow or dropped, or the client disconnected.
        """
        try:
            async with asyncio.timeout(self._timeout) as deadline:
                unfinished = _Unfinished(deadline)
                self._unfinished.add(unfinished)
                try:
                    return await self._read(receive, unfinished)
                finally:
                    self._unfinished.discard(unfinished)
                    self._set_size(unfinished, 0)
        except TimeoutError:
            if unfinished.dropped:
                text = "the server gave up this unfinished body; send the request again"
                raise RefusedError(503, text, code="body_dropped", retry_after="1") from None
            text = f"the request's body did not come within {self._timeout:g} s"
            raise RefusedError(408, text, code="timeout", connection="close") from None

    def drop_all(self) -> None:
        """Give up all unfinished bodies."""
        for unfinished in self._unfinished:
            unfinished.drop()

    async def _read(self, receive: Receive, unfinished: _Unfinished) -> bytes:
        body, size, more = bytearray(), 0, True
        # A body over the limit is still read, and discarded. A client that gets its answer while
        # it is sending usually does not see the answer.
        while more and size <= _MAX_DISCARDED_BYTES:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RefusedError(400, "the body broke off")
            part = message.get("body", b"")
            size, more = size + len(part), message.get("more_body", False)
            if size <= MAX_BODY_BYTES:
                body += part
            else:
                body.clear()
            self._set_size(unfinished, len(body))
        if size > MAX_BODY_BYTES:
            text = f"a request may have {MAX_BODY_BYTES:,} bytes"
            raise RefusedError(413, text, code="too_large", connection="close")
        return bytes(body)

    def _set_size(self, unfinished: _Unfinished, size: int) -> None:
        self.total_bytes += size - unfinished.size
        unfinished.size = size
        while self.total_bytes > self._max_total_bytes:
            largest = max(self._unfinished, key=lambda one: one.size)
            largest.drop()
            self.total_bytes -= largest.size
            largest.size = 0


def check_type(scope: Scope) -> None:
    """Refuse a body that does not say it is JSON; engines read it as a text, or refuse it."""
    types = [value for name, value in scope["headers"] if name == b"content-type"]
    kind = types[0].split(b";")[0].strip().lower() if types else b""
    if kind != b"application/json" and not kind.endswith(b"+json"):
        text = "send the body as JSON, with the header 'Content-Type: application/json'"
        raise RefusedError(415, text, code="unsupported_media_type")


def parse_body(body: bytes) -> Any:
    """Parse a body.

    Raises:
        RefusedError: an engine would fail on it: it is not JSON, is nested too deeply, or has
            text that is not valid Unicode.
    """
    try:
        data = json.loads(body)
        # JSON allows half of a surrogate pair; no tokenizer does.
        json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        text = "the body must be JSON, not deeply nested, and its texts Unicode"
        raise RefusedError(400, text, code="invalid_json") from None
    return data


def read_json(body: bytes | bytearray) -> Any:
    """Parse a body; return None if it is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def replace_body(scope: Scope, receive: Receive, body: bytes) -> tuple[Scope, Receive]:
    """Return the scope and the `receive` of the same request with another body."""
    messages: list[AsgiMessage] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_replaced() -> AsgiMessage:
        return messages.pop() if messages else await receive()

    headers = _set_length(scope["headers"], len(body))
    return {**scope, "headers": headers}, receive_replaced


def _set_length(headers: Iterable[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    kept = [
        (k, v) for k, v in headers if k.lower() not in (b"content-length", b"transfer-encoding")
    ]
    return [*kept, (b"content-length", str(length).encode())]
