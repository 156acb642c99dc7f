"""What stands before either engine, so that both keep one contract.

A pure ASGI middleware: keys, a bound on the requests in hand, the list of models with what their
manifests say, and errors in OpenAI's shape. vLLM loads it by its import path into an environment
of its own, so it needs nothing but the standard library and `nothing_gpt`.
"""

import hmac
import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nothing_gpt.manifest import read_manifest
from serve.offer import Offer, describe

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

KEY = "NOTHING_GPT_API_KEY"
"""Environment variable with the keys that open the server, separated by commas."""

VARIABLE = "NOTHING_GPT_GATE"
"""Environment variable by which the settings reach a gate inside vLLM."""

# vLLM answers on many more paths; what this project does not promise it does not keep open.
_OPEN = {"/health"}
_GUARDED = {"/metrics", "/openapi.json", "/v1/models", "/v1/chat/completions"}


@dataclass(frozen=True, slots=True)
class Settings:
    """The served models, and how many requests may be in hand at once, waiting ones included."""

    base: str
    adapters: dict[str, str]
    max_requests: int

    @classmethod
    def of(cls, offer: Offer, max_requests: int) -> "Settings":
        """Describe an offer in plain values."""
        adapters = {name: str(adapter.path) for name, adapter in offer.adapters.items()}
        return cls(offer.base, adapters, max_requests)

    def to_environment(self) -> dict[str, str]:
        """Give the variable that a gate without arguments reads."""
        return {VARIABLE: json.dumps(asdict(self))}

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read what `to_environment` gave."""
        return cls(**json.loads(os.environ[VARIABLE]))


def make_error(
    message: str, kind: str, *, param: str | None = None, code: str | int | None = None
) -> dict[str, Any]:
    """Make an error body in OpenAI's shape."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


class Gate:
    """The middleware. Without settings it reads them from the environment."""

    def __init__(self, app: App, settings: Settings | None = None) -> None:
        settings = settings or Settings.from_environment()
        self._app = app
        self._base = settings.base
        self._about = {
            name: describe(read_manifest(Path(path))) for name, path in settings.adapters.items()
        }
        self._room = settings.max_requests
        keys = (key.strip() for key in os.environ.get(KEY, "").split(","))
        self._keys = [key.encode() for key in keys if key]

    async def __call__(
        self, scope: MutableMapping[str, Any], receive: Receive, send: Send
    ) -> None:
        """Answer what can be answered here, and hand on the rest."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["path"] in _OPEN:
            await self._app(scope, receive, _Mender(send, self._mend))
        elif not self._knows(dict(scope["headers"]).get(b"authorization", b"")):
            error = make_error(
                "this server wants an API key: 'Authorization: Bearer KEY'",
                "authentication_error",
                code="invalid_api_key",
            )
            await _answer(send, 401, error, {b"www-authenticate": b"Bearer"})
        elif scope["path"] not in _GUARDED:
            await _answer(send, 404, make_error("no such path", "invalid_request_error"))
        elif self._room == 0 and scope["method"] == "POST":
            error = make_error(
                "too many requests at once; try again soon", "rate_limit_error", code="queue_full"
            )
            await _answer(send, 429, error, {b"retry-after": b"1"})
        else:
            taken = int(scope["method"] == "POST")
            self._room -= taken
            try:
                await self._app(scope, receive, _Mender(send, self._mend, scope["path"]))
            finally:
                self._room += taken

    def _knows(self, authorization: bytes) -> bool:
        scheme, _, given = authorization.partition(b" ")
        # Every key is compared, in constant time, so that timing tells nothing about them.
        matches = [hmac.compare_digest(given, key) for key in self._keys]
        return not self._keys or (scheme.lower() == b"bearer" and any(matches))

    def _mend(self, status: int, body: Any) -> Any:
        if status < 400:
            return {"object": "list", "data": [self._card(card, body) for card in body["data"]]}
        found = body.get("error", body.get("detail")) if isinstance(body, dict) else None
        error = found if isinstance(found, dict) else {"message": found or f"HTTP {status}"}
        message, param = str(error.get("message")), error.get("param")
        if status == 404 and param == "model":
            message = f"no such model; there are: {', '.join([self._base, *self._about])}"
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


class _Mender:
    """A `send` that holds back the bodies which the contract shapes, and sends them mended."""

    def __init__(self, send: Send, mend: Callable[[int, Any], Any], path: str = "") -> None:
        self._send = send
        self._mend = mend
        self._path = path
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and (
            message["status"] >= 400 or (self._path == "/v1/models" and message["status"] == 200)
        ):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._finish(self._start)

    async def _finish(self, start: Message) -> None:
        try:
            body = json.loads(self._body)
        except ValueError:
            body = None
        kept = {k: v for k, v in start["headers"] if not k.lower().startswith(b"content-")}
        await _answer(self._send, start["status"], self._mend(start["status"], body), kept)


async def _answer(
    send: Send, status: int, data: Any, headers: dict[bytes, bytes] | None = None
) -> None:
    body = json.dumps(data, ensure_ascii=False).encode()
    own = {b"content-type": b"application/json", b"content-length": str(len(body)).encode()}
    pairs = [*({**(headers or {}), **own}).items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
