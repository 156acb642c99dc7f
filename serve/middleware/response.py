"""An answer on its way out: what goes by is counted, and what the contract shapes is mended."""

import asyncio
import json
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from nothing_gpt.prompt.token_estimate import estimate_tokens
from serve.middleware.api_keys import KeyUsage

AsgiMessage = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[AsgiMessage]]
Send = Callable[[AsgiMessage], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST = 1024 * 1024
"""Bytes of a body: more than any context that is served here holds."""

# In JSON a quotation mark inside a text has a backslash, so no text can look like this.
_NO_CHOICE = re.compile(rb'data: \{[^\[]*"choices": ?\[\]')
_USAGE = re.compile(rb'"completion_tokens": ?(\d+)')
_TEXT = re.compile(rb'"delta": ?\{[^{}]*"content": ?"((?:[^"\\]|\\.)+)"')


class TrackedResponse:
    """A `send` that watches an answer go by, and mends the bodies which the contract shapes."""

    def __init__(self, scope: Scope, send: Send, mend: Callable[[int, Any], Any]) -> None:
        self.id, self.path, self.asked = uuid.uuid4().hex, scope["path"], b""
        self.holder: KeyUsage | None = None
        self.begun, self.first = time.monotonic(), 0.0
        self.status, self.whole = 0, False
        self.keeps_text = self.hides_usage = False
        self.sending = 0.0  # since when a piece waits for the client to take it
        self._send, self._mend = send, mend
        self._counted = self._usage = 0
        self._held: AsgiMessage | None = None
        self._body = bytearray()

    @property
    def tokens(self) -> int:
        """Tokens written: as the engine says, or by the text so far where it cannot any more."""
        return self._usage or self._counted

    @property
    def text(self) -> str:
        """What was answered, if it is to be kept."""
        return self._body.decode(errors="replace")

    async def __call__(self, message: AsgiMessage) -> None:
        """Send a message on, or hold it until the whole body is there to be mended."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self.status >= 400 or (self.path == "/v1/models" and self.status == 200):
                self._held = message
                return
            headers = [*message.get("headers", ()), (b"x-request-id", self.id.encode())]
            await self._pass({**message, "headers": headers})
        elif self._held is None:
            self._watch(message.get("body", b""), more=message.get("more_body", False))
            if not (self.hides_usage and _is_usage(message.get("body", b""))):
                await self._pass(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._finish(self._held)

    def _watch(self, body: bytes, *, more: bool) -> None:
        self.first = self.first or time.monotonic()
        self.whole = not more
        for text in _TEXT.findall(body):
            self._counted += estimate_tokens(text)
        if found := _USAGE.findall(body):
            self._usage = int(found[-1])
        if self.keeps_text:
            self._body += body[: LARGEST - len(self._body)]

    async def _pass(self, message: AsgiMessage) -> None:
        self.sending = time.monotonic()
        await self._send(message)
        self.sending = 0.0

    async def _finish(self, start: AsgiMessage) -> None:
        kept = [(k, v) for k, v in start["headers"] if not k.lower().startswith(b"content-")]
        if self.status == 503:
            kept.append((b"retry-after", b"5"))
        await self.give(self.status, self._mend(self.status, read_json(self._body)), kept)

    async def give(
        self, status: int, data: Any, headers: Iterable[tuple[bytes, bytes]] = ()
    ) -> None:
        """Send a whole answer."""
        # Escaped: a lone surrogate, which JSON allows and UTF-8 does not, goes back as it came.
        body = json.dumps(data).encode()
        self.status, self.whole = status, True
        own = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"x-request-id", self.id.encode()),
        ]
        await self._pass(
            {"type": "http.response.start", "status": status, "headers": [*headers, *own]}
        )
        await self._pass({"type": "http.response.body", "body": body})


class StallTimer:
    """Gives up an answer of which the client takes nothing, so that it frees its place.

    A timer beside the answer, because one around each piece would cost more than sending it.
    """

    def __init__(self, answer: TrackedResponse, patience: float) -> None:
        self._answer, self._patience, self._stuck = answer, patience, False

    async def __aenter__(self) -> None:
        self._task = asyncio.current_task()
        self._plan()

    def _plan(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._patience, self._look)

    def _look(self) -> None:
        began = self._answer.sending
        self._stuck = bool(began) and time.monotonic() - began >= self._patience
        if self._stuck and self._task is not None:
            self._task.cancel()
        else:
            self._plan()

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> bool:
        self._timer.cancel()
        if self._stuck and kind is asyncio.CancelledError and self._task is not None:
            self._task.uncancel()
            return True
        return False


def _is_usage(event: bytes) -> bool:
    return bool(_NO_CHOICE.match(event) and _USAGE.search(event))


def read_json(body: bytes | bytearray) -> Any:
    """Read a body; None if it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
