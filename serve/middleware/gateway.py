"""The middleware in front of both engines, so that both keep the same contract.

It checks keys and their limits, bounds the number of active requests, their size and slow
clients, completes the list of models, converts errors to OpenAI's shape and logs each request.
"""

import json
import os
import time

from nothing_gpt.admission import NAMES_VARIABLE, is_for_us
from serve.logs import configure_logging, log_event
from serve.middleware.asgi import KEY_NAME, App, Receive, Scope, Send
from serve.middleware.constraint.limits import check_constraints
from serve.middleware.constraint.trial import ConstraintTrials
from serve.middleware.gateway_settings import GatewaySettings
from serve.middleware.keys.api_keys import KeyUsage
from serve.middleware.keys.registry import KeyRegistry, check_limits
from serve.middleware.model_cards import ModelCards
from serve.middleware.refusal import RefusedError
from serve.middleware.request.body import (
    BodyReader,
    check_type,
    parse_body,
    read_json,
    replace_body,
)
from serve.middleware.request.fields import ask_for_usage, normalize_fields
from serve.middleware.request.routes import (
    COMPLETIONS,
    METRICS,
    MODELS,
    WITHOUT_KEY,
    describe_missing,
    find_route,
    has_body,
    read_model_id,
)
from serve.middleware.response import StallTimer, TrackedResponse
from serve.middleware.whole_response import collect_response

LOG_TEXT_VARIABLE = "NOTHING_GPT_LOG_TEXT"
"""Environment variable; if it is 1, requests and answers are logged with their text."""

_CLIENT_TIMEOUT = 30.0  # seconds for a client to send a whole body, and to accept each message


class Gateway:
    """The middleware.

    Args:
        settings: None to read them from the environment, as inside vLLM.
        client_timeout: Seconds for a client to send a whole body, and to accept each message.

    Attributes:
        active_requests: Completions whose body is there and that are not finished yet.
        draining: Whether new requests are refused.
    """

    def __init__(
        self,
        app: App,
        settings: GatewaySettings | None = None,
        *,
        client_timeout: float = _CLIENT_TIMEOUT,
    ) -> None:
        if settings is None:
            configure_logging()
            settings = GatewaySettings.from_environment()
        self._app, self._client_timeout = app, client_timeout
        self._bodies = BodyReader(client_timeout)
        self._cards = ModelCards(settings.base, settings.adapters)
        self._trials = ConstraintTrials(settings.location, settings.revision)
        self._max_requests = settings.max_requests
        self._keys = KeyRegistry()
        names = os.environ.get(NAMES_VARIABLE)
        self._names = None if names is None else names.lower().split(",")
        self._origins = settings.origins
        self._log_text = os.environ.get(LOG_TEXT_VARIABLE) == "1"
        self.active_requests, self.draining = 0, False

    def drain(self) -> None:
        """Refuse new requests from now on, those whose body is not whole included."""
        self.draining = True
        self._bodies.drop_all()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse a request, or pass it on to the engine."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            self._keys.log_day(ends=True)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            if scope.get("http_version") == "1.0":
                send = collect_response(send)
            response = TrackedResponse(scope["path"], send, self._cards.rewrite_body)
            if scope["method"] == "HEAD":
                # The web server drops the body of the answer.
                scope = {**scope, "method": "GET"}
            response.keeps_text = self._log_text
            try:
                async with StallTimer(response, self._client_timeout):
                    await self._handle(scope, receive, response)
            except RefusedError as refusal:
                await response.send_json(refusal.status, refusal.body, refusal.headers)
            finally:
                self._finish_request(response)

    async def _handle(self, scope: Scope, receive: Receive, response: TrackedResponse) -> None:
        path = scope["path"]
        if path in WITHOUT_KEY:
            self._keys.log_day()
            self._refuse_if_draining()
            known = self._keys.is_open or self._find_key(scope) is not None
            response.rewrites, response.shows_models = True, known
            await self._app(scope, receive, response)
            return
        self._check_name(scope)
        response.key_usage = self._authenticate(scope)
        if find_route(path) is None:
            raise RefusedError(404, describe_missing(path), code="not_found")
        if path == METRICS:
            usage_of_keys = self._keys.render_metrics
            await self._app(scope, receive, collect_response(response, usage_of_keys))
            return
        response.rewrites = path == MODELS or read_model_id(path) is not None
        if read_model_id(path):
            scope = {**scope, "path": MODELS, "raw_path": MODELS.encode()}
        if scope["method"] != "POST" or not has_body(path):
            await self._app(scope, receive, response)
            return
        check_type(scope)
        # A request takes a place, and is charged, when its whole body is there.
        self._refuse_if_draining()
        response.request_body = await self._bodies.read(receive)
        self._refuse_if_draining()
        usage = response.key_usage
        self._check_places(usage)
        check_limits(usage)
        if usage and path in COMPLETIONS:
            usage.requests += 1
        self._change_active_requests(usage, 1)
        try:
            await self._handle_completion(scope, receive, response)
        finally:
            self._change_active_requests(usage, -1)

    async def _handle_completion(
        self, scope: Scope, receive: Receive, response: TrackedResponse
    ) -> None:
        body, usage = response.request_body, response.key_usage
        request = parse_body(body)
        check_constraints(request)
        if response.path in COMPLETIONS:
            await self._trials.check(request)
        if isinstance(request, dict):
            normal = normalize_fields(request)
            # The gateway needs the count. Counting events is not enough, because an engine can
            # put several tokens into one.
            counted = ask_for_usage(normal) if response.path in COMPLETIONS else None
            response.hides_usage = counted is not None
            body = json.dumps(counted or normal).encode()
        scope = {**scope, KEY_NAME: usage.key.name if usage else None}
        await self._app(*replace_body(scope, receive, body), response)

    def _check_places(self, usage: KeyUsage | None) -> None:
        """Refuse a request for which there is no place, in the server or for its key."""
        share = (
            self._max_requests if len(self._keys.usages) < 2 else max(self._max_requests // 2, 1)
        )
        text = ""
        if self.active_requests >= self._max_requests:
            text = "too many requests at once; try again soon"
        elif usage and usage.active_requests >= (most := usage.key.requests_at_once or share):
            text = f"this key may have {most} requests at once; try again when one has ended"
        if text:
            raise RefusedError(429, text, "rate_limit_error", code="queue_full", retry_after="1")

    def _change_active_requests(self, usage: KeyUsage | None, change: int) -> None:
        self.active_requests += change
        if usage:
            usage.active_requests += change

    def _refuse_if_draining(self) -> None:
        if self.draining:
            text = "the server is stopping; try again soon"
            raise RefusedError(503, text, code="draining", retry_after="5")

    def _check_name(self, scope: Scope) -> None:
        """Refuse a request at a loopback address that calls this server by a foreign name.

        It may also come from a page whose origin is allowed.
        """
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host, origin = headers.get(b"host", ""), headers.get(b"origin")
        if "*" in self._origins or origin in self._origins:
            origin = None
        if self._names is not None and not is_for_us(host, origin, self._names):
            raise RefusedError(403, "this server has another name; `--name` adds one to it")

    def _find_key(self, scope: Scope) -> KeyUsage | None:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        return self._keys.find(given[0] if given else b"")

    def _authenticate(self, scope: Scope) -> KeyUsage | None:
        if [name for name, _ in scope["headers"]].count(b"authorization") > 1:
            # Proxies and servers take different ones.
            raise RefusedError(400, "send one Authorization header", code="invalid_headers")
        usage = self._find_key(scope)
        if usage is None and not self._keys.is_open:
            text = "this server wants an API key: 'Authorization: Bearer KEY'"
            kind, code = "authentication_error", "invalid_api_key"
            raise RefusedError(401, text, kind, code=code, www_authenticate="Bearer")
        return usage

    def _finish_request(self, response: TrackedResponse) -> None:
        """Charge the tokens to the key, and log the request."""
        if response.key_usage is not None:
            response.key_usage.charge(response.tokens)
        if response.path in WITHOUT_KEY:
            return
        request = read_json(response.request_body)
        model = request.get("model") if isinstance(request, dict) else None
        first = response.first_body_at
        log_event(
            "request",
            id=response.id,
            key=response.key_usage and response.key_usage.key.name,
            # An unknown path or model name is text of the client's.
            path=find_route(response.path),
            status=response.status,
            model=model if model in self._cards.names else None,
            tokens=response.tokens,
            seconds=round(time.monotonic() - response.started_at, 3),
            first_seconds=first and round(first - response.started_at, 3),
            whole=response.complete,
            **({"asked": request, "answered": response.text} if self._log_text else {}),
        )
