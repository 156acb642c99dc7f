"""A stage as a child process, in the foreground or in the background."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import NoReturn

from nothing_gpt.errors import UserError
from nothing_gpt.files import make_folder
from nothing_gpt.workspace import Workspace

_STARTUP_SECONDS = 300
"""Maximum for the server to load its model."""

_SHUTDOWN_SECONDS = 15


def run_stage(name: str, *options: str) -> None:
    """Run a stage in the foreground until it ends.

    Raises:
        SystemExit: the stage failed; it has printed the reason, and this is its exit status.
        KeyboardInterrupt: Ctrl-C, which the stage got too.
    """
    # In a session of its own, it gets each Ctrl-C once: from here.
    process = subprocess.Popen([sys.executable, "-m", name, *options], start_new_session=True)
    interrupted = False
    while True:
        try:
            status = process.wait()
            break
        except KeyboardInterrupt:
            interrupted = True
            process.send_signal(signal.SIGINT)
    if interrupted:
        raise KeyboardInterrupt
    if status:
        raise SystemExit(status)


class StageProcess:
    """A stage in the background. Its output goes to a log file."""

    def __init__(self, name: str, workspace: Workspace, *options: str) -> None:
        self._name, self._options = name, options
        self._log = workspace.logs / f"{name}.log"
        make_folder(self._log.parent)
        self._process: subprocess.Popen[str]
        self._log_mode = "wb"
        self.start()

    def start(self) -> None:
        """Start the process, also again after it has ended."""
        # In a session of its own, it gets no Ctrl-C from the terminal: `stop` ends it in order.
        self._process = subprocess.Popen(
            [sys.executable, "-m", self._name, *self._options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
        threading.Thread(target=self._write_log, args=[self._log_mode], daemon=True).start()
        self._log_mode = "ab"

    def _write_log(self, mode: str) -> None:
        # Unbuffered, so that a line which finds the disk full is lost alone. Those after it must
        # still be read, or the process would wait for ever.
        with self._log.open(mode, buffering=0) as log:
            for line in self._process.stdout or ():
                with contextlib.suppress(OSError):
                    log.write(line.encode())
                if "gradio.live" in line:  # the share link, which only the room knows
                    print(line, end="", flush=True)

    @property
    def has_ended(self) -> bool:
        """Whether the process runs no longer."""
        return self._process.poll() is not None

    def check(self) -> None:
        """Check that the process still runs.

        Raises:
            UserError: it has ended; the message has the last line of its log.
        """
        if self.has_ended:
            self._fail()

    def _fail(self) -> NoReturn:
        lines = self._log.read_text(encoding="utf-8").strip().splitlines()
        last = lines[-1] if lines else f"exit status {self._process.returncode}"
        raise UserError(f"{self._name} ended by itself: {last}\nIts whole log: {self._log}")

    def wait_until_ready(self, url: str) -> None:
        """Wait until the process answers HTTP.

        Raises:
            UserError: it has ended, or does not answer in time.
        """
        deadline = time.monotonic() + _STARTUP_SECONDS
        while time.monotonic() < deadline:
            self.check()
            try:
                with urllib.request.urlopen(url, timeout=5):  # noqa: S310
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        raise UserError(f"{self._name} was not ready after {_STARTUP_SECONDS} s; see {self._log}")

    def stop(self) -> None:
        """Terminate the process; kill it if it does not end."""
        self._process.terminate()
        try:
            self._process.wait(timeout=_SHUTDOWN_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextlib.contextmanager
def background_stage(name: str, workspace: Workspace, *options: str) -> Iterator[StageProcess]:
    """Run a stage in the background during the block."""
    stage = StageProcess(name, workspace, *options)
    try:
        yield stage
    finally:
        stage.stop()
