"""A server of the page, for a browser on this machine."""

from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from nothing_gpt.admission import LOOPBACK, is_for_us
from nothing_gpt.errors import UserError
from nothing_gpt.workspace import Workspace
from train.watch.page import render_page


def make_server(name: str, workspace: Workspace, port: int) -> ThreadingHTTPServer:
    """Return a server of one training's page; it answers to loopback names alone.

    Raises:
        UserError: there is no such training, or the port is taken.
    """
    render_page(name, workspace)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            # Another name is a page of the internet that resolves to this machine.
            if not is_for_us(self.headers.get("Host", ""), self.headers.get("Origin"), ()):
                self.send_error(HTTPStatus.FORBIDDEN)
            elif self.path != "/":
                self.send_error(HTTPStatus.NOT_FOUND)
            else:
                with suppress(BrokenPipeError, ConnectionResetError):  # the page was left
                    self._send(render_page(name, workspace).encode())

        def _send(self, page: bytes) -> None:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            pass

    try:
        return ThreadingHTTPServer((LOOPBACK, port), Handler)
    except OSError as error:
        raise UserError(f"port {port}: {error.strerror}; choose another with --port") from None
