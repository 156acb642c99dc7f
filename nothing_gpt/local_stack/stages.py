"""All four stages on this one machine, as child processes, ended together."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from nothing_gpt.errors import UserError
from nothing_gpt.show import load_show
from nothing_gpt.workspace import VARIABLE, Workspace

HOST = "127.0.0.1"
_PATIENCE = 300
"""Seconds that the server may take to load its model."""


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What to build and where to open it. `source` and `base` are handed to their stages."""

    show: str
    port: int
    source: Path | None = None
    base: str = "pocket"
    share: bool = False


def run_stages(plan: StackOptions, workspace: Workspace) -> None:
    """Prepare, train, serve, and open the room; return when the person has had enough.

    Stages whose output is there and whose inputs have not changed take no time.

    Raises:
        UserError: a port is taken, or the server or the room ended by itself.
        SystemExit: a stage failed; it has said why, and this is its exit status.
        KeyboardInterrupt: Ctrl-C (or SIGTERM) before the room was open.
    """
    name = load_show(plan.show).name
    _refuse_taken_port(plan.port)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    os.environ[VARIABLE] = str(workspace.root.resolve())
    source = ["--source", str(plan.source)] if plan.source else []
    started = time.monotonic()
    _run("data_prep", "--show", plan.show, "--tokenizer", "none", *source)
    _run("train", "--show", plan.show, "--base", plan.base)
    port = _free_port()
    url = f"http://{HOST}:{plan.port}"
    share = ["--share"] if plan.share else []
    with (
        _started("serve", workspace, "--show", plan.show, "--port", str(port)) as server,
        _started(
            "demo",
            workspace,
            *("--base-url", f"http://{HOST}:{port}/v1", "--model", name, "--show", plan.show),
            *("--port", str(plan.port), *share),
        ) as room,
    ):
        for process, address in ((server, f"http://{HOST}:{port}/health"), (room, url)):
            _wait_until_ready(process, address)
        with contextlib.suppress(KeyboardInterrupt):
            print(f"\nThe room is open: {url}    (ready in {time.monotonic() - started:.0f} s)")
            print(f"The API beside it: http://{HOST}:{port}/v1    Ctrl-C stops both.", flush=True)
            if sys.stdout.isatty() and os.environ.get("DISPLAY"):
                webbrowser.open(url)
            _wait_for_either(server, room)
    print("stopped")


class _Stage:
    """A stage that goes on in the background, with its output in a log and on the terminal."""

    def __init__(self, name: str, workspace: Workspace, *options: str) -> None:
        self.name = name
        self.log = workspace.logs / f"{name}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        # A session of its own: Ctrl-C reaches this process alone, which ends the others in order.
        self.process = subprocess.Popen(
            [sys.executable, "-m", name, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
        threading.Thread(target=self._copy, daemon=True).start()

    def _copy(self) -> None:
        with self.log.open("w", encoding="utf-8") as log:
            for line in self.process.stdout or ():
                log.write(line)
                log.flush()
                if "gradio.live" in line:  # the share link, which only the room knows
                    print(line, end="", flush=True)

    def end(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def fail(self) -> NoReturn:
        lines = self.log.read_text(encoding="utf-8").strip().splitlines()
        last = lines[-1] if lines else f"exit status {self.process.returncode}"
        raise UserError(f"{self.name} ended by itself: {last}\nIts whole log: {self.log}")


@contextlib.contextmanager
def _started(name: str, workspace: Workspace, *options: str) -> Iterator[_Stage]:
    stage = _Stage(name, workspace, *options)
    try:
        yield stage
    finally:
        stage.end()


def _run(stage: str, *options: str) -> None:
    """Run a stage to its end, in this terminal."""
    process = subprocess.Popen([sys.executable, "-m", stage, *options])
    try:
        status = process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        process.wait()
        raise
    if status:
        raise SystemExit(status)


def _wait_until_ready(stage: _Stage, address: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if stage.process.poll() is not None:
            stage.fail()
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise UserError(f"{stage.name} was not ready after {_PATIENCE} s; see {stage.log}")


def _wait_for_either(*stages: _Stage) -> None:
    while True:
        for stage in stages:
            if stage.process.poll() is not None:
                stage.fail()
        time.sleep(0.5)


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise UserError(f"port {port} is taken; choose another with PORT=...") from None


def _free_port(preferred: int = 8000) -> int:
    """The usual port of the API if it is free, else any other."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            number: int = probe.getsockname()[1]
            return number
    raise UserError("no port is free for the server")


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
