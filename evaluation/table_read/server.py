"""The server of a table read: pages without names, on a loopback address."""

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from evaluation.preference.needed_votes import count_needed_votes
from evaluation.table_read.table_read import TableRead
from nothing_gpt.admission import LOOPBACK, is_for_us
from nothing_gpt.errors import UserError

_FOLDER = Path(__file__).parent
_MOST_BODY = 1_000  # bytes; a form has two short fields
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'self'; img-src data:; frame-ancestors 'none'",
    "referrer-policy": "same-origin",  # without any, forms are sent with the origin "null"
    "x-content-type-options": "nosniff",
}


def bind_port(port: int) -> socket.socket:
    """Bind a port of this machine; 0 takes a free one.

    Raises:
        UserError: the port is taken.
    """
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError as error:
        reason = str(error.strerror or error).split(" (while")[0]
        raise UserError(f"port {port}: {reason}; choose another with --port") from None


def serve_pages(table_read: TableRead, listener: socket.socket) -> None:
    """Serve the pages until Ctrl-C."""
    config = uvicorn.Config(make_app(table_read), log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


def make_app(table_read: TableRead) -> Starlette:
    """Make the application: the next pair, the result, the file of votes, and three forms."""
    pages = _Pages(table_read)
    return Starlette(
        routes=[
            Route("/", pages.show_pair),
            Route("/result", pages.show_result),
            Route("/votes.jsonl", pages.save_votes),
            Route("/vote", pages.add_vote, methods=["POST"]),
            Route("/take-back", pages.take_back, methods=["POST"]),
            Route("/delete", pages.delete_votes, methods=["POST"]),
            Mount("/static", StaticFiles(directory=_FOLDER / "static")),
        ],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=_admit)],
        exception_handlers={UserError: _explain},
    )


class _Pages:
    """The answers to requests. None names a model but the result."""

    def __init__(self, table_read: TableRead) -> None:
        self._read = table_read
        self._templates = Jinja2Templates(_FOLDER / "templates")

    async def show_pair(self, request: Request) -> Response:
        return self._render(request, "pair.html", {"showing": self._read.choose_next()})

    async def show_result(self, request: Request) -> Response:
        context = {
            "rows": list(self._read.summarize().describe()),
            "needed": [(rate, count_needed_votes(rate)) for rate in (0.6, 0.7)],
            "all_votes": len(self._read.votes),
            "show": self._read.show,
        }
        return self._render(request, "result.html", context)

    async def save_votes(self, request: Request) -> Response:
        if not self._read.votes:
            return PlainTextResponse("There are no votes yet.", 404)
        name = f"votes-{self._read.show}.jsonl"
        return FileResponse(self._read.path, media_type="application/jsonl", filename=name)

    async def add_vote(self, request: Request) -> Response:
        form = await _read_form(request)
        if form.get("choice") not in ("1", "2") or "key" not in form:
            return PlainTextResponse("A vote has the fields 'key' and 'choice', 1 or 2.", 400)
        self._read.add_vote(form["key"], int(form["choice"]) - 1)
        return RedirectResponse("/", 303)

    async def take_back(self, request: Request) -> Response:
        self._read.take_back()
        return RedirectResponse("/", 303)

    async def delete_votes(self, request: Request) -> Response:
        self._read.delete_votes()
        return RedirectResponse("/", 303)

    def _render(self, request: Request, name: str, context: Mapping[str, Any]) -> Response:
        own = self._read.own_votes
        counts = {
            "votes": len(own),
            "done": sum(vote.repeat_of is None for vote in own),
            "pairs": len(self._read.pairs),
        }
        return self._templates.TemplateResponse(request, name, {**counts, **context})


async def _explain(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return PlainTextResponse(f"{error}\n", 500)


async def _admit(request: Request, answer: RequestResponseEndpoint) -> Response:
    """Refuse requests from pages of other sites, and those that call the server by their name."""
    host, origin = request.headers.get("host", ""), request.headers.get("origin")
    if not is_for_us(host, origin, ()):
        return PlainTextResponse("This page is for this machine alone.", 403)
    response = await answer(request)
    response.headers.update(_HEADERS)
    return response


async def _read_form(request: Request) -> dict[str, str]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BODY:
            return {}
    return {key: values[0] for key, values in parse_qs(body.decode("ascii", "replace")).items()}
