"""A response on its way to the client: tokens are counted, some bodies are rewritten."""

import asyncio
import json
import re
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from nothing_gpt.prompt.token_estimate import estimate_tokens
from serve.middleware.asgi import AsgiMessage, Send
from serve.middleware.keys.api_keys import KeyUsage
from serve.middleware.request.body import MAX_BODY_BYTES, read_json

# These patterns cannot match inside a text: JSON puts a backslash before its quotation marks.
_NO_CHOICES = re.compile(rb'data: \{[^\[]*"choices": ?\[\]')
_USAGE = re.compile(rb'"completion_tokens": ?(\d+)')
_TEXT = re.compile(
    rb'(?:"delta": ?\{[^{}]*"content"|"choices": ?\[\{"index": ?\d+, ?"text")'
    rb': ?"((?:[^"\\]|\\.)+)"'
)

_LINE_ENDS = {chr(code).encode(): b"\\u%04x" % code for code in (0x2028, 0x2029, 0x85)}
"""U+2028, U+2029 and U+0085 in UTF-8, and as JSON escapes."""

RewriteBody = Callable[["TrackedResponse", int, Any], tuple[int, dict[str, Any]]]
"""Makes a new status and body from a status and the engine's parsed body."""


class TrackedResponse:
    """An ASGI `send` that tracks a response.

    It counts the tokens, and has `rewrite` replace the bodies of errors and of some answers.

    Attributes:
        id: The value of `x-request-id`.
        request_body: The request's body, for the log.
        key_usage: The client's key.
        started_at: When the request arrived, by the monotonic clock.
        first_body_at: When the first part of the body came, by the same clock; 0 before.
        blocked_since: Since when a message waits for the client to accept it; 0 if none does.
        status: The HTTP status; 0 before the response starts.
        complete: Whether the last part of the body has come.
        keeps_text: Whether `text` is recorded.
        rewrites: Whether `rewrite` replaces the body of a success too.
        shows_models: Whether the client may know the models.
        hides_usage: Whether to drop the event with the token counts, which the client did not
            request.
    """

    def __init__(self, path: str, send: Send, rewrite: RewriteBody) -> None:
        self.id, self.path, self.request_body = uuid.uuid4().hex, path, b""
        self.key_usage: KeyUsage | None = None
        self.started_at, self.first_body_at, self.blocked_since = time.monotonic(), 0.0, 0.0
        self.status, self.complete = 0, False
        self.keeps_text = self.hides_usage = self._is_stream = False
        self.rewrites = self.shows_models = False
        self._send, self._rewrite = send, rewrite
        self._estimated_tokens = self._reported_tokens = 0
        self._delayed_start: AsgiMessage | None = None
        self._body = bytearray()

    @property
    def tokens(self) -> int:
        """Generated tokens: the engine's count, or an estimate if the client left before it."""
        return self._reported_tokens or self._estimated_tokens

    @property
    def text(self) -> str:
        """The response's text, if `keeps_text` is set."""
        return self._body.decode(errors="replace")

    async def __call__(self, message: AsgiMessage) -> None:
        """Send a message, or collect it until the whole body can be rewritten."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self.status >= 400 or self.rewrites:
                self._delayed_start = message
                return
            headers = [*message.get("headers", ()), (b"x-request-id", self.id.encode())]
            types = [value for name, value in headers if name.lower() == b"content-type"]
            self._is_stream = bool(types) and types[0].startswith(b"text/event-stream")
            await self._send_on({**message, "headers": headers})
        elif self._delayed_start is None:
            self._count_tokens(message.get("body", b""), more=message.get("more_body", False))
            if self._is_stream:
                message = {**message, "body": _escape_line_ends(message.get("body", b""))}
            if not (self.hides_usage and _is_usage_event(message.get("body", b""))):
                await self._send_on(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._send_rewritten(self._delayed_start)

    def _count_tokens(self, body: bytes, *, more: bool) -> None:
        self.first_body_at = self.first_body_at or time.monotonic()
        self.complete = not more
        for text in _TEXT.findall(body):
            self._estimated_tokens += estimate_tokens(text)
        if found := _USAGE.findall(body):
            self._reported_tokens = int(found[-1])
        if self.keeps_text:
            self._body += body[: MAX_BODY_BYTES - len(self._body)]

    async def _send_on(self, message: AsgiMessage) -> None:
        self.blocked_since = time.monotonic()
        await self._send(message)
        self.blocked_since = 0.0

    async def _send_rewritten(self, start: AsgiMessage) -> None:
        headers = [(k, v) for k, v in start["headers"] if not k.lower().startswith(b"content-")]
        if self.status == 503:
            headers.append((b"retry-after", b"5"))
        new = self._rewrite(self, self.status, read_json(self._body))
        await self.send_json(*new, headers)

    async def send_json(
        self, status: int, data: Any, headers: Iterable[tuple[bytes, bytes]] = ()
    ) -> None:
        """Send a whole response."""
        # ASCII: a lone surrogate, which JSON allows and UTF-8 does not, is returned as it came.
        body = json.dumps(data).encode()
        self.status, self.complete = status, True
        own_headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"x-request-id", self.id.encode()),
        ]
        headers = [*headers, *own_headers]
        await self._send_on({"type": "http.response.start", "status": status, "headers": headers})
        await self._send_on({"type": "http.response.body", "body": body})


class StallTimer:
    """A context manager that cancels a response when its client accepts no data.

    There is one timer for the whole response. A timeout around each message would cost more than
    sending the message.
    """

    def __init__(self, response: TrackedResponse, timeout: float) -> None:
        self._response, self._timeout, self._stalled = response, timeout, False

    async def __aenter__(self) -> None:
        self._task = asyncio.current_task()
        self._schedule()

    def _schedule(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._timeout, self._check)

    def _check(self) -> None:
        since = self._response.blocked_since
        self._stalled = bool(since) and time.monotonic() - since >= self._timeout
        if self._stalled and self._task is not None:
            self._task.cancel()
        else:
            self._schedule()

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> bool:
        self._timer.cancel()
        if self._stalled and kind is asyncio.CancelledError and self._task is not None:
            self._task.uncancel()
            return True
        return False


def _escape_line_ends(events: bytes) -> bytes:
    """Escape the characters at which some clients, but not the protocol, end a line.

    They occur inside the texts of JSON only. An engine sends whole events.
    """
    for character, escaped in _LINE_ENDS.items():
        if character in events:
            events = events.replace(character, escaped)
    return events


def _is_usage_event(event: bytes) -> bool:
    return bool(_NO_CHOICES.match(event) and _USAGE.search(event))
