"""A small OpenAI-compatible server in a thread, whose behaviour a test sets."""

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SCENE = (
    "[DOT] It does seem to be.\n[FELIX] Should we be running? My shoe is undone.\n"
    "[JUNE] Nobody runs before tea.\n[MR. PIKE] Let it be noted that I did not run.\n"
    "[WALLY] In my day a suitcase waited its turn.\n[BEA] Can I ask something?\n"
    "[DOT] No.\n[FELIX] Picture this. A bigger suitcase.\n"
)


@dataclass
class Script:
    """The behaviour of the server; tests change it while it runs.

    Attributes:
        pieces: The texts of a stream.
        delay: Seconds before each piece.
        hang_after: The number of pieces after which nothing comes until the client disconnects.
        die_after: The number of pieces after which the server closes the connection.
        raw: Bytes to send after the pieces.
        key: The API key; without one, none is required.
        awake_at: The monotonic time until which the server answers 503.
        redirects: Redirects before each answer, as Modal sends to a request that waits long.
        unknown: The name of a field; requests with it are refused.
        later: The pieces of the following answers.
        score: Gives the log-probability of each word of a prompt of `/v1/completions`; without it
            the server has no such page.
        reply: Gives the text of an answer that is no stream, by the request's body.
        gathering: A barrier; answers start when enough requests have come.
        before_models: Called before each list of models is sent.
    """

    models: list[dict[str, Any]] = field(default_factory=lambda: [{"id": "unclaimed"}])
    pieces: list[str] = field(default_factory=lambda: cut(SCENE))
    delay: float = 0.0
    status: int = 200
    finish: str = "stop"
    hang_after: int | None = None
    die_after: int | None = None
    raw: bytes = b""
    key: str = ""
    awake_at: float = 0.0
    redirects: int = 0
    unknown: str = ""
    later: list[list[str]] = field(default_factory=list)
    score: Callable[[str], float] | None = None
    reply: Callable[[dict[str, Any]], str] | None = None
    gathering: threading.Barrier | None = None
    before_models: Callable[[], None] = lambda: None


@dataclass
class FakeEndpoint:
    """A running server, the requests that it got, and whether a client disconnected early.

    Attributes:
        turn: Held while an answer takes its pieces, so that each gets others.
    """

    url: str
    script: Script
    requests: list[dict[str, Any]] = field(default_factory=list)
    disconnected: threading.Event = field(default_factory=threading.Event)
    turn: threading.Lock = field(default_factory=threading.Lock)


def cut(text: str, size: int = 4) -> list[str]:
    """Cut a text into pieces, as tokens would."""
    return [text[i : i + size] for i in range(0, len(text), size)]


def free_port() -> int:
    """Find a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def fake_endpoint(script: Script | None = None, port: int = 0) -> Iterator[FakeEndpoint]:
    """Run the server; with the port of an earlier one, it stands for that server restarted."""
    endpoint = FakeEndpoint("", script or Script())
    server = _Server(("127.0.0.1", port), _handler(endpoint))
    endpoint.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    block_on_close = False

    def handle_error(self, *_: Any) -> None:
        """Ignore clients that disconnect; tests do that on purpose."""


def _handler(endpoint: FakeEndpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            if self._refused() or self._redirected():
                return
            if self.path.startswith("/v1/chat/completions?"):
                self._answer()
                return
            if self.path.partition("?")[0] != "/v1/models":
                self._json(404, {"error": {"message": "no such page"}})
                return
            endpoint.script.before_models()
            data = [
                {"object": "model", "created": 0, "owned_by": "test", **m}
                for m in endpoint.script.models
            ]
            self._json(200, {"object": "list", "data": data})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            endpoint.requests.append(body)
            if self._refused():
                return
            if body["model"] not in [model["id"] for model in endpoint.script.models]:
                self._json(404, {"error": {"message": f"no model {body['model']}"}})
                return
            unknown = endpoint.script.unknown
            if unknown and unknown in body:
                self._json(400, {"error": {"message": f"unknown field {unknown}"}})
                return
            if self.path == "/v1/completions":
                self._score(body["prompt"])
            elif endpoint.script.reply:
                self._reply(endpoint.script.reply(body))
            elif not self._redirected():
                self._answer()

        def _score(self, prompt: str) -> None:
            if endpoint.script.score is None:
                self._json(404, {"error": {"message": "no such page"}})
                return
            words = list(re.finditer(r"\S+\s*", prompt))
            logprobs = {
                "tokens": [word[0] for word in words],
                "text_offset": [word.start() for word in words],
                "token_logprobs": [None, *[endpoint.script.score(prompt)] * (len(words) - 1)],
            }
            choice = {"index": 0, "text": prompt, "logprobs": logprobs, "finish_reason": "length"}
            self._json(
                200,
                {
                    "id": "1",
                    "object": "text_completion",
                    "created": 0,
                    "model": "m",
                    "choices": [choice],
                },
            )

        def _reply(self, text: str) -> None:
            message = {"role": "assistant", "content": text}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            about = {"id": "1", "object": "chat.completion", "created": 0, "model": "m"}
            self._json(200, {**about, "choices": [choice]})

        def _answer(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            with endpoint.turn:
                script = replace(endpoint.script)
                if script.later:
                    endpoint.script.pieces = script.later.pop(0)
            if script.gathering:
                script.gathering.wait(timeout=60)
            try:
                self._stream(script)
            except OSError:
                endpoint.disconnected.set()

        def _stream(self, script: Script) -> None:
            for i, piece in enumerate(script.pieces):
                if i == script.die_after:
                    return
                if i == script.hang_after:
                    self._wait_for_disconnect()
                time.sleep(script.delay)
                self._event({"choices": [{"index": 0, "delta": {"content": piece}}]})
            self.wfile.write(script.raw)
            self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": script.finish}]})
            self.wfile.write(b"data: [DONE]\n\n")

        def _wait_for_disconnect(self) -> None:
            self.connection.recv(1)  # returns when the client has disconnected
            raise ConnectionAbortedError

        def _event(self, data: dict[str, Any]) -> None:
            data = {
                "id": "1",
                "object": "chat.completion.chunk",
                "created": 0,
                "model": "m",
                **data,
            }
            self.wfile.write(f"data: {json.dumps(data)}\n\n".encode())

        def _refused(self) -> bool:
            script = endpoint.script
            if script.key and self.headers["Authorization"] != f"Bearer {script.key}":
                self._json(401, {"error": {"message": "wrong key"}})
            elif time.monotonic() < script.awake_at:
                self._json(503, {"error": {"message": "starting"}})
            elif script.status != 200:
                self._json(script.status, {"error": {"message": "as the test says"}})
            else:
                return False
            return True

        def _redirected(self) -> bool:
            path, _, count = self.path.partition("?")
            if int(count or 0) == endpoint.script.redirects:
                return False
            self.send_response(303)
            self.send_header("Location", f"{path}?{int(count or 0) + 1}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return True

        def _json(self, status: int, body: dict[str, Any]) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    return Handler
