"""The controller's HTTP server, on loopback and behind a token.

`GET /job` describes the job; `POST /job/ACTION` does something, with the fields as JSON, and
describes the job after it. Errors are `{"error": TEXT}`.
"""

import hmac
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from nothing_gpt.admission import LOOPBACK, is_for_us
from nothing_gpt.controller.controller import Controller, RefusedError
from nothing_gpt.controller.requests import ACTIONS
from nothing_gpt.errors import UserError
from nothing_gpt.records import decode

_MAX_BODY = 12 << 20  # bytes; the room sends a file in smaller parts


class ControllerServer(ThreadingHTTPServer):
    """The server.

    Raises:
        UserError: the port is taken.
    """

    daemon_threads = True

    def __init__(self, port: int, controller: Controller, token: str) -> None:
        self.controller, self.token = controller, token
        try:
            super().__init__((LOOPBACK, port), _Handler)
        except OSError as error:
            raise UserError(f"port {port}: {error.strerror}; choose another by --port") from None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30  # seconds for a client to send its request
    server: ControllerServer

    def do_GET(self) -> None:
        """Describe the job."""
        if self._admits():
            if self.path == "/job":
                self._describe()
            else:
                self._send(404, {"error": "there are GET /job and POST /job/ACTION"})

    def do_POST(self) -> None:
        """Do what the path names."""
        if not self._admits():
            return
        action = self.path.removeprefix("/job/")
        body = self._read_body()
        if action not in ACTIONS:
            self._send(404, {"error": f"there are the actions {', '.join(ACTIONS)}"})
        elif body is not None:
            self._do(action, body)

    def _do(self, action: str, body: object) -> None:
        controller = self.server.controller
        try:
            getattr(controller, action)(decode(ACTIONS[action], body, action))
        except RefusedError as error:
            self._send(409, {"error": str(error)})
        except UserError as error:
            self._send(400, {"error": str(error)})
        else:
            self._describe()

    def _describe(self) -> None:
        try:
            answer = self.server.controller.describe()
        except UserError as error:
            self._send(503, {"error": str(error)})
        else:
            self._send(200, answer)

    def _admits(self) -> bool:
        """Refuse who calls the server by a foreign name, or has no token."""
        given = self.headers.get("authorization", "").encode("utf-8", "replace")
        wanted = f"Bearer {self.server.token}".encode()
        host, origin = self.headers.get("host", ""), self.headers.get("origin")
        if is_for_us(host, origin, ()) and hmac.compare_digest(given, wanted):
            return True
        self.close_connection = True  # what follows is not read
        self._send(403, {"error": "this is the controller of a room on this machine"})
        return False

    def _read_body(self) -> object:
        """Read the body; answer and return None if it is too large or no JSON."""
        length = self.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > _MAX_BODY:
            self.close_connection = True
            self._send(413, {"error": f"a body has at most {_MAX_BODY:,} bytes"})
            return None
        try:
            body: object = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            self._send(400, {"error": "the body is no JSON"})
            return None
        return body if body is not None else {}

    def _send(self, status: int, answer: dict[str, Any]) -> None:
        # With escapes, because a lone surrogate has no bytes in UTF-8.
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Log errors only: the room asks every few seconds."""

    def log_error(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Log an error without what a client has sent."""
        print(f"{self.command or 'connection'}: error", file=sys.stderr, flush=True)
