"""The gate: ASGI middleware between the network and Gradio.

It refuses what does not call this room by its name, closes the routes that the room does not
use, reads bodies within limits, and slows wrong logins down.
"""

import sys
from dataclasses import dataclass, field
from time import monotonic

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.access.login_pace import LoginPace
from demo.access.login_page import without_endpoints
from demo.access.request_body import BodyReader, RefusedBodyError, drain
from demo.access.routes import OpenRoutes
from nothing_gpt.admission import is_for_us


@dataclass(frozen=True, slots=True)
class GateRules:
    """What the gate lets through.

    Attributes:
        routes: The open routes.
        names: Further names of the room, in lower case; the share link adds its own.
        any_name: Whether the room is called by any name, because it is not on a loopback address.
    """

    routes: OpenRoutes
    names: set[str] = field(default_factory=set)
    any_name: bool = False


class Gate:
    """Middleware in front of Gradio."""

    def __init__(self, app: ASGIApp, rules: GateRules) -> None:
        self._app, self._rules = app, rules
        self._bodies, self._logins = BodyReader(), LoginPace()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or let Gradio answer it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # Gradio's pages use no web sockets
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if not (self._rules.any_name or is_for_us(host, origin, self._rules.names)):
            refusal = JSONResponse({"detail": "This room has another name."}, 403)
            await refusal(scope, receive, send)
            return
        if not self._rules.routes.include(scope["method"], scope["path"]):
            await JSONResponse({"detail": "Not Found"}, 404)(scope, receive, send)
            return
        try:
            receive = await self._bodies.read(headers, receive)
        except RefusedBodyError as error:
            await drain(receive)
            refusal = JSONResponse({"detail": str(error)}, error.status, {"connection": "close"})
            await refusal(scope, receive, send)
            return
        route = scope["path"].rstrip("/")
        if route == "/logout":
            scope = _end_one_session(scope, headers)
        if route == "/login":
            await self._log_in(scope, receive, send)
        elif not route and scope["method"] == "GET":
            await self._app(scope, receive, without_endpoints(send))
        else:
            await self._app(scope, receive, send)

    async def _log_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a visitor try to log in, if the last wrong login is long enough ago."""
        visitor = scope["client"][0] if scope["client"] else ""
        wait = int(self._logins.admit(visitor, monotonic()) + 0.999)
        if wait:
            text = f"Too many logins; try again in {wait} s."
            refusal = JSONResponse({"detail": text}, 429, {"retry-after": str(wait)})
            await refusal(scope, receive, send)
            return

        async def send_noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._logins.record(visitor, right=message["status"] < 400)
                if message["status"] >= 400:
                    note = f"wrong login from {visitor}, the {self._logins.wrong}. in all"
                    print(note, file=sys.stderr, flush=True)
            await send(message)

        await self._app(scope, receive, send_noting)


def _end_one_session(scope: Scope, headers: Headers) -> Scope:
    """Make Gradio's logout end the visitor's own session alone.

    By default it ends those of everybody with the same name. Without that, it looks for the
    session in the cookie of HTTPS only, so that of HTTP gets its name here.
    """
    cookie = headers.get("cookie", "").replace("access-token-unsecure-", "access-token-")
    others = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
    return {
        **scope,
        "query_string": b"all_session=false",
        "headers": [*others, (b"cookie", cookie.encode("latin-1"))],
    }
