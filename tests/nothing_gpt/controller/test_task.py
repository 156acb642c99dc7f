"""Tasks of real processes, also of a controller that is gone."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nothing_gpt.controller.task import STOPPED, Task

SLOW = "import time; print('begun', flush=True); time.sleep(60)"
RECORDING = (
    "from nothing_gpt.progress.log import log_progress\n"
    "advance = log_progress('training', 2)\nadvance('loss 1'); advance('loss 0.5')"
)


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def wait(task: Task) -> int | None:
    wait_for(lambda: not task.is_running)
    return task.status


def test_commands_run_until_one_fails(tmp_path: Path) -> None:
    task = Task(tmp_path / "task")
    failing = python("print('error: no such data\\nput some there'); raise SystemExit(3)")
    task.start([python("print('prepared')"), failing, python("print('never')")])
    assert wait(task) == 3
    assert task.last_words == "no such data\nput some there"


def test_their_progress_is_read(tmp_path: Path) -> None:
    task = Task(tmp_path / "task")
    task.start([python(RECORDING)])
    assert wait(task) == 0
    records = task.read_progress()
    assert [record["done"] for record in records] == [0, 1, 2]
    assert records[-1]["title"] == "training"


def test_one_at_a_time(tmp_path: Path) -> None:
    task = Task(tmp_path / "task")
    task.start([python(SLOW)])
    with pytest.raises(BlockingIOError):
        task.start([python("")])
    task.kill()
    assert wait(task) is None
    task.start([python("")])
    assert wait(task) == 0


def test_one_that_was_started_by_somebody_else_is_known_and_stopped(tmp_path: Path) -> None:
    first = Task(tmp_path / "task")
    first.start([python(SLOW), python("print('never')")])
    other = Task(tmp_path / "task")
    wait_for(lambda: other.last_words == "begun")
    assert other.is_running
    other.stop()
    assert wait(first) not in (0, None)
    assert "never" not in (tmp_path / "task" / "output.log").read_text()


def test_a_stop_between_two_commands_counts(tmp_path: Path) -> None:
    ignoring = (
        "import signal, time; signal.signal(2, lambda *_: exit(0))\n"
        "print('begun', flush=True); time.sleep(60)"
    )
    task = Task(tmp_path / "task")
    task.start([python(ignoring), python("print('never')")])
    wait_for(lambda: task.last_words == "begun")
    task.stop()
    assert wait(task) == STOPPED
