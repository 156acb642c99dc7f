"""A task: commands that run one after the other, and outlive the program that started them.

`python -m nothing_gpt.controller.task FOLDER LOCK` runs them. A task holds a lock on a file of its
folder; the lock ends with the last of its processes. So a controller that was killed and started
again knows whether its task still runs, and finds the exit status in the folder if not.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from nothing_gpt.controller.link import without_link
from nothing_gpt.files import make_folder, read_json, write_json, write_text
from nothing_gpt.progress.record import VARIABLE, read_progress

STOPPED = 130
"""The exit status after SIGINT."""

_NICENESS = 10  # so that writing goes first

_COMMANDS, _PID, _STATUS = "commands.json", "pid", "status"
_OUTPUT, _PROGRESS = "output.log", "progress.jsonl"


class Task:
    """The task of a folder, of this process or of an earlier one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = folder.with_name(f"{folder.name}.lock")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, commands: Sequence[Sequence[str]]) -> None:
        """Run commands, each after the one before has succeeded.

        Raises:
            BlockingIOError: the task before still runs.
        """
        make_folder(self._lock.parent)
        lock = self._acquire()
        try:
            shutil.rmtree(self._folder, ignore_errors=True)
            write_json(self._folder / _COMMANDS, commands)
            progress = str((self._folder / _PROGRESS).resolve())
            environment = without_link(os.environ) | {VARIABLE: progress, "PYTHONUNBUFFERED": "1"}
            with (self._folder / _OUTPUT).open("wb") as output:
                # In a group of its own, it gets no Ctrl-C from the terminal: `stop` ends it.
                self._process = subprocess.Popen(
                    [sys.executable, "-m", __name__, str(self._folder), str(lock)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    pass_fds=[lock],
                    start_new_session=True,
                )
            write_text(self._folder / _PID, str(self._process.pid))
        finally:
            os.close(lock)

    def _acquire(self) -> int:
        lock = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise
        return lock

    @property
    def is_running(self) -> bool:
        """Whether a process of the task is left."""
        if self._process is not None:
            self._process.poll()
        if not self._lock.exists():
            return False
        try:
            os.close(self._acquire())
        except BlockingIOError:
            return True
        return False

    def stop(self) -> None:
        """Ask the running command to stop in order, as Ctrl-C does."""
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        """End all processes of the task at once."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        pid = self._folder / _PID
        # While the lock is held, a process of this group lives, and its number is not another's.
        if self.is_running and pid.exists():
            with suppress(ProcessLookupError):
                os.killpg(int(pid.read_text()), number)

    @property
    def status(self) -> int | None:
        """The exit status; None if the task was killed before it could write one."""
        path = self._folder / _STATUS
        return int(path.read_text()) if path.exists() else None

    @property
    def last_words(self) -> str:
        """The error that a command printed, or else the last line of its output."""
        path = self._folder / _OUTPUT
        if not path.exists():
            return ""
        lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        errors = [index for index, line in enumerate(lines) if line.startswith("error: ")]
        if errors:
            return "\n".join(lines[errors[-1] :]).removeprefix("error: ")
        return lines[-1] if lines else ""

    def read_progress(self) -> list[dict[str, Any]]:
        """Read what the commands recorded so far."""
        return read_progress(self._folder / _PROGRESS)


def _run_commands(folder: Path, lock: int) -> None:
    """Run the commands of a folder, and write the exit status into it."""
    stopped = False

    def note(*_: object) -> None:
        nonlocal stopped
        stopped = True

    # The running command gets the signal too. It does not inherit this way to handle it.
    signal.signal(signal.SIGINT, note)
    os.nice(_NICENESS)
    write_text(folder / _PID, str(os.getpid()))  # also if the starter was killed before it could
    status = 0
    for command in read_json(folder / _COMMANDS):
        status = STOPPED if stopped else subprocess.call(command, pass_fds=[lock])
        if status:
            break
    write_text(folder / _STATUS, str(status))


if __name__ == "__main__":
    _run_commands(Path(sys.argv[1]), int(sys.argv[2]))
