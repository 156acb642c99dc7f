"""The body of a request for a completion: reading it within limits, checking and changing it."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

from serve.middleware.asgi import AsgiMessage, Receive, Scope
from serve.middleware.refusal import RefusedError

MAX_BODY_BYTES = 1024 * 1024
"""More than fits into any context that is served here."""

_MAX_DISCARDED_BYTES = 32 * MAX_BODY_BYTES


async def read_body(receive: Receive, timeout: float) -> bytes:
    """Read a whole body.

    Args:
        timeout: Seconds for the whole body to arrive.

    Raises:
        RefusedError: the body is too large or too slow, or the client disconnected.
    """
    body, size, more = bytearray(), 0, True
    try:
        async with asyncio.timeout(timeout):
            # A body over the limit is still read, and discarded. A client that gets its answer
            # while it is sending usually does not see the answer.
            while more and size <= _MAX_DISCARDED_BYTES:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise RefusedError(400, "the body broke off")
                part = message.get("body", b"")
                size, more = size + len(part), message.get("more_body", False)
                if size <= MAX_BODY_BYTES:
                    body += part
    except TimeoutError:
        text = f"the request's body did not come within {timeout:g} s"
        raise RefusedError(408, text, code="timeout", connection="close") from None
    if size > MAX_BODY_BYTES:
        text = f"a request may have {MAX_BODY_BYTES:,} bytes"
        raise RefusedError(413, text, code="too_large", connection="close")
    return bytes(body)


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


def omits_usage(request: Any) -> bool:
    """Return whether a request is for a stream without token counts."""
    if not isinstance(request, dict) or request.get("stream") is not True:
        return False
    return request.get("stream_options") in (None, {}, {"include_usage": False})


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
