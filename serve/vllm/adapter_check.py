"""The check of adapters inside vLLM: it runs in vLLM's own process, before the port is opened."""

import asyncio
import json
from typing import Any

from nothing_gpt.adapter.effect import PROBE
from nothing_gpt.errors import UserError
from serve.logs import logger
from serve.middleware.asgi import App, AsgiMessage, Receive, Scope, Send
from serve.middleware.gateway_settings import GatewaySettings
from serve.models.adapter_check import check_adapters


class AdapterCheck:
    """A middleware that makes the start of vLLM fail if an adapter changes nothing."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._settings = GatewaySettings.from_environment()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; check the adapters when the application reports that it is ready."""

        async def send_checked(event: AsgiMessage) -> None:
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

    async def _score(self, lifespan: Scope, name: str) -> list[float]:
        """Return the log-probabilities of the probe's tokens."""
        body = {"model": name, "messages": PROBE, "max_tokens": 1, "prompt_logprobs": 0}
        status, answer = await self._post(lifespan, "/v1/chat/completions", body)
        if status != 200:
            raise UserError(f"{name}: vLLM cannot score with it ({answer})")
        # The first token has no context, and no score.
        tokens = [next(iter(token.values())) for token in answer["prompt_logprobs"] if token]
        return [float(token["logprob"]) for token in tokens]

    async def _post(self, lifespan: Scope, path: str, body: Any) -> tuple[int, Any]:
        """Send a request to the application, without a connection."""
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
        requests: list[AsgiMessage] = [
            {"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}
        ]
        responses: list[AsgiMessage] = []

        async def receive() -> AsgiMessage:
            # Never a disconnect: the application would stop.
            return requests.pop() if requests else await asyncio.Future()

        async def send(message: AsgiMessage) -> None:
            responses.append(message)

        await self._app(scope, receive, send)
        text = b"".join(message.get("body", b"") for message in responses[1:])
        return responses[0]["status"], json.loads(text)
