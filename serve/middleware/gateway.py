"""What stands before either engine, so that both keep one contract.

A pure ASGI middleware: keys and their limits, bounds on the requests in hand, on their size and
on slow clients, the list of models with what their manifests say, errors in OpenAI's shape, and a
line in the log for each request. vLLM loads it by its import path into an environment of its own,
so it needs nothing but the standard library and `nothing_gpt`.
"""

import asyncio
import json
import os
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nothing_gpt.adapter.manifest import read_manifest
from serve.middleware.api_keys import KEY, KeyUsage, find_key, read_keys
from serve.middleware.logs import log, set_up
from serve.middleware.response import (
    LARGEST,
    App,
    AsgiMessage,
    Receive,
    Scope,
    Send,
    StallTimer,
    TrackedResponse,
    read_json,
)
from serve.models.served_models import ServedModels, describe_adapter

__all__ = ["KEY", "Gateway", "GatewaySettings", "make_error"]

VARIABLE = "NOTHING_GPT_GATE"
"""Environment variable by which the settings reach a gate inside vLLM."""

LOG_TEXT = "NOTHING_GPT_LOG_TEXT"
"""Environment variable that, set to 1, puts requests and answers into the log."""

# vLLM answers on many more paths; what this project does not promise it does not keep open.
_OPEN = {"/health"}
_CHAT = "/v1/chat/completions"
_GUARDED = {"/metrics", "/openapi.json", "/v1/models", _CHAT}

_SENSELESS = 32 * LARGEST
_PATIENCE = 30.0  # seconds for a request's body to come in, and for a client to take a piece


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """The served models, and how many requests may be in hand at once, waiting ones included."""

    base: str
    adapters: dict[str, str]
    max_requests: int

    @classmethod
    def of(cls, offer: ServedModels, max_requests: int) -> "GatewaySettings":
        """Describe an offer in plain values."""
        adapters = {name: str(adapter.path) for name, adapter in offer.adapters.items()}
        return cls(offer.base, adapters, max_requests)

    def to_environment(self) -> dict[str, str]:
        """Give the variable that a gate without arguments reads."""
        return {VARIABLE: json.dumps(asdict(self))}

    @classmethod
    def from_environment(cls) -> "GatewaySettings":
        """Read what `to_environment` gave."""
        return cls(**json.loads(os.environ[VARIABLE]))


def make_error(
    message: str, kind: str, *, param: str | None = None, code: str | int | None = None
) -> dict[str, Any]:
    """Make an error body in OpenAI's shape."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


class _RefusedError(Exception):
    """A request that goes no further than the gate."""

    def __init__(
        self, status: int, message: str, kind: str, code: str | None = None, **headers: str
    ) -> None:
        super().__init__(message)
        self.status, self.body = status, make_error(message, kind, code=code)
        self.headers = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]


class Gateway:
    """The middleware. Without settings it reads them from the environment.

    Attributes:
        in_hand: Requests for completions that are not yet answered in full.
        draining: Set it, and new requests are sent away.
    """

    def __init__(
        self, app: App, settings: GatewaySettings | None = None, *, patience: float = _PATIENCE
    ) -> None:
        if settings is None:
            set_up()
            settings = GatewaySettings.from_environment()
        self._app, self._base, self._patience = app, settings.base, patience
        self._about = {
            name: describe_adapter(read_manifest(Path(path)))
            for name, path in settings.adapters.items()
        }
        self._room = settings.max_requests
        self._holders = [KeyUsage(key) for key in read_keys()]
        self._log_text = os.environ.get(LOG_TEXT) == "1"
        self.in_hand, self.draining = 0, False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what can be answered here, and hand on the rest."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            answer = TrackedResponse(scope, send, self._mend)
            answer.keeps_text = self._log_text
            try:
                async with StallTimer(answer, self._patience):
                    await self._pass(scope, receive, answer)
            except _RefusedError as refused:
                await answer.give(refused.status, refused.body, refused.headers)
            finally:
                self._record(answer)

    async def _pass(self, scope: Scope, receive: Receive, answer: TrackedResponse) -> None:
        if scope["path"] in _OPEN:
            self._refuse_when_draining()
            await self._app(scope, receive, answer)
            return
        answer.holder = self._identify(scope)
        if scope["path"] not in _GUARDED:
            raise _RefusedError(404, "no such path", "invalid_request_error")
        if scope["method"] != "POST" or scope["path"] != _CHAT:
            await self._app(scope, receive, answer)
            return
        self._refuse_when_draining()
        if self.in_hand >= self._room:
            text = "too many requests at once; try again soon"
            raise _RefusedError(429, text, "rate_limit_error", "queue_full", retry_after="1")
        self.in_hand += 1
        try:
            answer.asked = await self._read(scope, receive)
            asked = _parse(answer.asked)
            self._enter(answer.holder)
            if _hides_usage(asked):
                # Asked for all the same: events hold several tokens where an engine bundles them.
                asked["stream_options"] = {"include_usage": True}
                answer.hides_usage = True
            body = json.dumps(asked).encode() if answer.hides_usage else answer.asked
            headers = _with_length(scope["headers"], len(body))
            await self._app({**scope, "headers": headers}, _replay(body, receive), answer)
        finally:
            self.in_hand -= 1

    def _refuse_when_draining(self) -> None:
        if self.draining:
            text = "the server is stopping; try again soon"
            raise _RefusedError(503, text, "server_error", "draining", retry_after="5")

    def _identify(self, scope: Scope) -> KeyUsage | None:
        holder = find_key(self._holders, dict(scope["headers"]).get(b"authorization", b""))
        if self._holders and holder is None:
            text = "this server wants an API key: 'Authorization: Bearer KEY'"
            kind = "authentication_error"
            raise _RefusedError(401, text, kind, "invalid_api_key", www_authenticate="Bearer")
        return holder

    def _enter(self, holder: KeyUsage | None) -> None:
        if seconds := holder.enter() if holder else 0:
            text = f"this key's limit for a minute is used up; try again in {seconds:.0f} s"
            later = str(int(seconds) + 1)
            kind, code = "rate_limit_error", "rate_limit_exceeded"
            raise _RefusedError(429, text, kind, code, retry_after=later)

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        """Take in a whole body, which neither its size nor its pace may make expensive."""
        too_large = _RefusedError(
            413,
            f"a request may have {LARGEST:,} bytes",
            "invalid_request_error",
            "too_large",
            connection="close",
        )
        body, size, more = bytearray(), 0, True
        try:
            async with asyncio.timeout(self._patience):
                # What is too large is taken in, though not kept: a client that is answered while
                # it still sends mostly does not see the answer.
                while more and size <= _SENSELESS:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _RefusedError(400, "the body broke off", "invalid_request_error")
                    piece = message.get("body", b"")
                    size, more = size + len(piece), message.get("more_body", False)
                    if size <= LARGEST:
                        body += piece
        except TimeoutError:
            text = f"the request's body did not come within {self._patience:g} s"
            kind = "invalid_request_error"
            raise _RefusedError(408, text, kind, "timeout", connection="close") from None
        if size > LARGEST:
            raise too_large
        return bytes(body)

    def _record(self, answer: TrackedResponse) -> None:
        if answer.holder is not None:
            answer.holder.charge(answer.tokens)
        if answer.path in _OPEN:
            return
        asked = read_json(answer.asked)
        model = asked.get("model") if isinstance(asked, dict) else None
        log(
            "request",
            id=answer.id,
            key=answer.holder and answer.holder.name,
            # A path or a model that is none of ours is somebody's text.
            path=answer.path if answer.path in _OPEN | _GUARDED else None,
            status=answer.status,
            model=model if model in (self._base, *self._about) else None,
            tokens=answer.tokens,
            seconds=round(time.monotonic() - answer.begun, 3),
            first_seconds=answer.first and round(answer.first - answer.begun, 3),
            whole=answer.whole,
            **({"asked": asked, "answered": answer.text} if self._log_text else {}),
        )

    def _mend(self, status: int, body: Any) -> Any:
        if status < 400:
            return {"object": "list", "data": [self._card(card, body) for card in body["data"]]}
        found = body.get("error", body.get("detail")) if isinstance(body, dict) else None
        error = found if isinstance(found, dict) else {"message": found or f"HTTP {status}"}
        message, param = str(error.get("message")), error.get("param")
        if status == 404 and param == "model":
            message = f"no such model; there are: {', '.join([self._base, *self._about])}"
            return make_error(
                message, "invalid_request_error", param=param, code="model_not_found"
            )
        kind = error.get("type") or ("server_error" if status >= 500 else "invalid_request_error")
        return make_error(message, kind, param=param, code=error.get("code"))

    def _card(self, card: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        # Not the engine's own card, which tells where on the disk the files lie.
        about = self._about.get(card["id"])
        return {
            "id": card["id"],
            "object": "model",
            "created": card["created"],
            "owned_by": "nothing-gpt",
            "max_model_len": body["data"][0]["max_model_len"],
            "parent": None if about is None else self._base,
            "structured_outputs": True,
            **({} if about is None else {"nothing_gpt": about}),
        }


def _parse(body: bytes) -> Any:
    """Read a body, and refuse what engines fail over: no JSON, nested beyond reason, no text."""
    try:
        data = json.loads(body)
        # A lone half of a surrogate pair is possible in JSON, and in no tokenizer.
        json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        text = "the body must be JSON, not deeply nested, and its texts Unicode"
        raise _RefusedError(400, text, "invalid_request_error", "invalid_json") from None
    return data


def _hides_usage(asked: Any) -> bool:
    """Whether a request is for a stream whose client does not want to know the tokens."""
    if not isinstance(asked, dict) or asked.get("stream") is not True:
        return False
    return asked.get("stream_options") in (None, {}, {"include_usage": False})


def _with_length(headers: Iterable[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    kept = [
        (k, v) for k, v in headers if k.lower() not in (b"content-length", b"transfer-encoding")
    ]
    return [*kept, (b"content-length", str(length).encode())]


def _replay(body: bytes, receive: Receive) -> Receive:
    messages: list[AsgiMessage] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> AsgiMessage:
        return messages.pop() if messages else await receive()

    return again
