"""How the stages are run together; stages of a few lines stand in for the real ones.

The real ones are run together by tests/test_whole_story.py.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

QUICK = "print('prepared', flush=True)"
BROKEN = "import sys; print('error: no such data', file=sys.stderr); sys.exit(3)"
# Answers every request on --port, and says when it is asked to stop.
SERVER = """
import http.server, signal, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"here")
    def log_message(self, *_): pass
def stop(*_): print("asked to stop", flush=True); sys.exit(0)
signal.signal(signal.SIGTERM, stop)
port = int(sys.argv[sys.argv.index("--port") + 1])
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""
DYING = "print('error: no adapter here', flush=True); raise SystemExit(1)"
ROOT = Path(__file__).resolve().parents[3]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Stack:
    """`python -m nothing_gpt` with stages of our own before it on the path."""

    def __init__(self, folder: Path, port: int, *options: str, **stages: str) -> None:
        defaults = {"data_prep": QUICK, "train": QUICK, "serve": SERVER, "demo": SERVER}
        for name, code in (defaults | stages).items():
            (folder / f"{name}.py").write_text(code)
        environment = os.environ | {
            "PYTHONPATH": f"{folder}:{ROOT}",
            "PYTHONUNBUFFERED": "1",
            "NOTHING_GPT_WORKSPACE": str(folder / "workspace"),
        }
        environment.pop("DISPLAY", None)
        self.logs = folder / "workspace" / "logs"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nothing_gpt", "--port", str(port), *options],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def read_until(self, words: str) -> str:
        seen = ""
        for line in self.process.stdout or ():
            seen += line
            if words in line:
                return seen
        raise AssertionError(f"ended without saying '{words}':\n{seen}")

    def finish(self) -> str:
        return self.process.communicate(timeout=60)[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_room_and_server_in_order(tmp_path: Path, number: signal.Signals) -> None:
    port = free_port()
    stack = Stack(tmp_path, port)
    seen = stack.read_until("Ctrl-C stops both")
    assert f"http://127.0.0.1:{port}" in seen
    stack.process.send_signal(number)
    assert stack.finish().strip() == "stopped"
    assert stack.process.returncode == 0
    for name in ("serve", "demo"):
        assert (stack.logs / f"{name}.log").read_text().strip() == "asked to stop"


def test_a_stage_that_fails_ends_it_with_its_status(tmp_path: Path) -> None:
    stack = Stack(tmp_path, free_port(), train=BROKEN)
    assert stack.finish().splitlines() == ["prepared", "error: no such data"]
    assert stack.process.returncode == 3


def test_a_server_that_dies_is_named_with_its_last_words(tmp_path: Path) -> None:
    stack = Stack(tmp_path, free_port(), serve=DYING)
    said = stack.finish()
    assert "error: serve ended by itself: error: no adapter here" in said
    assert str(stack.logs / "serve.log") in said
    assert stack.process.returncode == 1


def test_interrupted_while_training(tmp_path: Path) -> None:
    stack = Stack(tmp_path, free_port(), train="import time\nprint('training')\ntime.sleep(60)")
    stack.read_until("training")
    stack.process.send_signal(signal.SIGINT)
    started = time.monotonic()
    assert "stopped" in stack.finish()
    assert stack.process.returncode == 130
    assert time.monotonic() - started < 30


def test_a_taken_port_is_refused_before_any_work(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        stack = Stack(tmp_path, port)
        assert stack.finish() == f"error: port {port} is taken; choose another with PORT=...\n"
    assert stack.process.returncode == 1


def test_a_shared_room_gets_a_login_which_is_printed(tmp_path: Path) -> None:
    telling = f"import os; print(os.environ['NOTHING_GPT_ROOM_LOGIN'], flush=True)\n{SERVER}"
    stack = Stack(tmp_path, free_port(), "--share", demo=telling)
    said = stack.read_until("Ctrl-C stops both")
    stack.process.send_signal(signal.SIGINT)
    stack.finish()
    login = (stack.logs / "demo.log").read_text().splitlines()[0]
    name, _, password = login.partition(":")
    assert len(password) >= 12
    assert f"It asks for a login: {name}, {password}" in said


DRAFTING = """
import pathlib, sys
if sys.argv[1] == "draft":
    text = 'name = "pier"\\ntitle = "Pier"\\ncast = [{name = "ANN"}]\\n'
    pathlib.Path(sys.argv[-1]).parent.mkdir(parents=True)
    pathlib.Path(sys.argv[-1]).write_text(text + 'corpus = {source = "x", licence = ""}')
print("data_prep", *sys.argv[1:], flush=True)
"""


def test_scripts_without_a_show_are_drafted_first(tmp_path: Path) -> None:
    stack = Stack(tmp_path, free_port(), "--source", "my-pier/", data_prep=DRAFTING)
    seen = stack.read_until("Ctrl-C stops both")
    stack.process.send_signal(signal.SIGINT)
    stack.finish()
    path = tmp_path / "workspace" / "shows" / "my_pier.toml"
    assert f"data_prep draft my-pier/ --out {path}\n" in seen
    assert f"data_prep --show {path} --tokenizer none\n" in seen


def test_a_full_disk_costs_the_log_and_nothing_else(tmp_path: Path) -> None:
    """A stage whose output nobody reads stands still when its pipe is full."""
    logs = tmp_path / "workspace" / "logs"
    logs.mkdir(parents=True)
    (logs / "demo.log").symlink_to("/dev/full")
    talking = f"print('x' * 1_000_000, flush=True)\nprint('at gradio.live', flush=True)\n{SERVER}"
    stack = Stack(tmp_path, free_port(), demo=talking)
    assert "at gradio.live" in stack.read_until("Ctrl-C stops both")
    stack.process.send_signal(signal.SIGINT)
    assert stack.finish().strip() == "stopped"
