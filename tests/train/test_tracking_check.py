"""Keys that a real server refuses, tried with the real client."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

CHECK = """
from nothing_gpt.errors import reported_errors
from train.tracking import check_tracking
with reported_errors():
    check_tracking("modal secret create wandb WANDB_API_KEY=...")
"""


class Refusing(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b'{"error": "user is not logged in"}'
        self.send_response(401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def refusing() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


@pytest.mark.parametrize(
    ("key", "why"), [("0" * 40, "returned error 401"), ("short", "must have 40+ characters")]
)
def test_a_wandb_key_that_is_refused(key: str, why: str, refusing: str, tmp_path: object) -> None:
    environment = {"WANDB_API_KEY": key, "WANDB_BASE_URL": refusing, "HOME": str(tmp_path)}
    environment["WANDB_MODE"] = "online"
    done = subprocess.run(
        [sys.executable, "-c", CHECK], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert f"error: Weights & Biases refuses the key ({why}" in done.stderr.replace(
        f"Failed to authenticate with {refusing}: ", ""
    ).replace("API key ", "")
    assert "modal secret create wandb WANDB_API_KEY=..." in done.stderr
