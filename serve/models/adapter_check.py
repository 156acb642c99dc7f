"""Whether every adapter really changes what its base says, asked before anybody is answered.

An adapter whose weights did not load, or are as they were before training, is silent: the server
would give the base's text under the show's name, and nobody would know. So the log-probabilities
of a short text are compared with and without each adapter. The base is asked twice, because what
it differs by from itself is noise.

For vLLM this is a middleware, `AdapterCheck`, that vLLM loads by its import path: it asks in
vLLM's own process, before the port is opened. It needs nothing but the standard library and
`nothing_gpt`.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from nothing_gpt.errors import UserError
from nothing_gpt.prompt import Message
from serve.middleware.gateway import GatewaySettings

PROBE: list[Message] = [
    {"role": "system", "content": "Continue this scene."},
    {"role": "user", "content": "[ANA] Who left the door open?\n[BO] It was open when I came."},
]

ScoreFunction = Callable[[str], Awaitable[Sequence[float]]]
"""Gives log-probabilities of, or after, `PROBE` by a model's name."""

_Event = MutableMapping[str, Any]

logger = logging.getLogger("serve")


async def check_adapters(score: ScoreFunction, base: str, adapters: Sequence[str]) -> None:
    """Compare each adapter with the base.

    Raises:
        UserError: an adapter differs from the base by no more than the base from itself.
    """
    if not adapters:
        return
    first, second = await score(base), await score(base)
    noise = _distance(first, second)
    # What is no number compares false, so that an adapter of NaNs is refused too.
    silent = [name for name in adapters if not _distance(first, await score(name)) > noise]
    if silent:
        raise UserError(
            f"{', '.join(silent)}: changes nothing that {base} says; its weights are those from "
            "before training, or were not loaded; train it again, or move it away"
        )


def _distance(one: Sequence[float], other: Sequence[float]) -> float:
    # A sum, not a maximum: the maximum of numbers and a NaN depends on their order.
    return sum(abs(a - b) for a, b in zip(one, other, strict=True))


class AdapterCheck:
    """The middleware. A silent adapter keeps the server from starting."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app
        self._settings = GatewaySettings.from_environment()

    async def __call__(
        self,
        scope: _Event,
        receive: Callable[[], Awaitable[_Event]],
        send: Callable[[_Event], Awaitable[None]],
    ) -> None:
        """Hand everything on; when the application is ready, check it before saying so."""

        async def send_checked(event: _Event) -> None:
            if event["type"] == "lifespan.startup.complete":
                try:
                    await check_adapters(
                        lambda name: self._score(scope, name),
                        self._settings.base,
                        list(self._settings.adapters),
                    )
                except UserError as error:
                    logger.error("error: %s", error)
                    event = {"type": "lifespan.startup.failed", "message": f"error: {error}"}
            await send(event)

        is_start = scope["type"] == "lifespan"
        await self._app(scope, receive, send_checked if is_start else send)

    async def _score(self, lifespan: _Event, name: str) -> list[float]:
        """Have vLLM score the probe's own tokens."""
        body = {"model": name, "messages": PROBE, "max_tokens": 1, "prompt_logprobs": 0}
        status, answer = await self._post(lifespan, "/v1/chat/completions", body)
        if status != 200:
            raise UserError(f"{name}: vLLM cannot score with it ({answer})")
        # The first token has nothing before it, and no score.
        tokens = [next(iter(token.values())) for token in answer["prompt_logprobs"] if token]
        return [float(token["logprob"]) for token in tokens]

    async def _post(self, lifespan: _Event, path: str, body: Any) -> tuple[int, Any]:
        """Ask the application under this middleware, without a connection."""
        scope = {
            **{key: lifespan[key] for key in ("app", "state", "asgi") if key in lifespan},
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
            "client": ("127.0.0.1", 0),
            "server": ("127.0.0.1", 0),
        }
        parts: list[_Event] = [
            {"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}
        ]
        answers: list[_Event] = []

        async def receive() -> _Event:
            # A client that stays: the application listens for one that leaves.
            return parts.pop() if parts else await asyncio.Future()

        async def send(event: _Event) -> None:
            answers.append(event)

        await self._app(scope, receive, send)
        text = b"".join(event.get("body", b"") for event in answers[1:])
        return answers[0]["status"], json.loads(text)
