"""A tiny show's scripts, a base that is built in seconds, and a controller as a real process."""

import base64
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from nothing_gpt.controller.link import TOKEN_VARIABLE
from nothing_gpt.show import SHOWS
from nothing_gpt.workspace import VARIABLE, Workspace
from tests.fake_endpoint import free_port

ROOT = Path(__file__).parents[1]
BASE = "pocket-tiny"
TOKEN = "a-token-of-the-tests"  # noqa: S105
NAMES = ("Ann", "Bob", "Ann", "Mr. Pike")
RUBBISH = {"photo.jpg": "\x00\x01\x02\x03", "<b>bold</b>.txt": "", "../../../notes": "No script."}


def write_scripts(turns: int = 60) -> dict[str, str]:
    """Write three transcripts; ANN is also called ANN LEE."""
    scripts = {}
    for episode in (1, 2, 3):
        lines = [
            f"{NAMES[i % 4]}: The pier is {words(i * episode)} long today.\n" for i in range(turns)
        ]
        lines += ["Ann Lee: I am Ann.\n", "Bob: So you are.\n"] * 2
        scripts[f"pier/episode {episode}.txt"] = "".join(lines)
    return scripts


def words(number: int) -> str:
    """Spell a number, so that lines differ in words."""
    digits = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return " ".join(digits[int(digit)] for digit in str(number))


def build_base(folder: Path) -> None:
    """Make a pocket base of the bundled show, trained for a moment."""
    from data_prep.job import PreparationJob
    from data_prep.pipeline import prepare
    from nothing_gpt.show import load_show
    from train.base_model.pocket_training import ensure_pocket_base
    from train.config.pretraining_config import PretrainingConfig
    from train.data.examples import read_examples

    show = load_show("unclaimed")
    with tempfile.TemporaryDirectory() as name:
        scripts = Path(name) / "scripts"
        scripts.mkdir()
        for script in sorted((SHOWS / "unclaimed" / "scripts").glob("*.fountain"))[:4]:
            shutil.copy(script, scripts)
        out = Path(name) / "data"
        prepare(PreparationJob(show, str(scripts), out, show.prompt.format, "none"))
        examples, _ = read_examples(out)
    ensure_pocket_base(folder, examples, PretrainingConfig(tokens=4_000))


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    """Wait until a condition is true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come true"
        time.sleep(0.05)


@dataclass
class RunningController:
    """A controller's process, and requests to it."""

    workspace: Workspace
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Start it, or start it again."""
        options = ["--port", str(self.port), "--base", BASE]
        environment = {VARIABLE: str(self.workspace.root), TOKEN_VARIABLE: TOKEN}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nothing_gpt.controller", *options],
            cwd=ROOT,
            env=os.environ | environment,
        )
        wait_for(self._answers)

    def _answers(self) -> bool:
        assert self.process.poll() is None, "the controller has ended"
        try:
            return bool(self.request("GET", "/job").status_code == 200)
        except httpx.TransportError:
            return False

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def request(
        self, method: str, path: str, fields: Any = None, **headers: str
    ) -> httpx.Response:
        """Send a request with the token."""
        given = {"authorization": f"Bearer {TOKEN}", **headers}
        return httpx.request(method, self.url + path, json=fields, headers=given, timeout=30)

    def job(self) -> dict[str, Any]:
        """Describe the job."""
        answer: dict[str, Any] = self.request("GET", "/job").json()
        return answer

    def do(self, action: str, **fields: Any) -> httpx.Response:
        """Ask for an action."""
        return self.request("POST", f"/job/{action}", fields)

    def send(self, files: dict[str, str]) -> None:
        """Begin a new show with files, and have them read."""
        assert self.do("begin").status_code == 200
        for name, text in files.items():
            data = base64.b64encode(text.encode()).decode()
            assert self.do("add", name=name, offset=0, data=data).status_code == 200
        assert self.do("read", name="The Pier").status_code == 200

    def wait_for_state(self, *states: str) -> dict[str, Any]:
        """Wait until the job has one of these states; return it."""
        wait_for(lambda: self.job()["state"] in states)
        return self.job()

    def stop(self) -> None:
        """Stop it in order."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


@contextmanager
def running_controller(workspace: Workspace) -> Iterator[RunningController]:
    """Run a controller while the block runs."""
    controller = RunningController(workspace)
    try:
        yield controller
    finally:
        controller.stop()
