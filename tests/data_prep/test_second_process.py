import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from data_prep import pipeline
from data_prep.job import PreparationJob
from data_prep.pipeline import prepare
from nothing_gpt.errors import UserError
from nothing_gpt.quotation import index_speeches
from nothing_gpt.show import SHOWS
from tests.data_prep.samples import table_show, write_tables

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux only")


@pytest.fixture
def job(tmp_path: Path) -> PreparationJob:
    source = write_tables(tmp_path / "tables")
    show = table_show(tmp_path)
    return PreparationJob(show, str(source), tmp_path / "out", "directed", tokenizer="none")


@pytest.fixture
def always_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "_MANY", 0)
    monkeypatch.setattr(pipeline, "can_fork", lambda: True)  # other tests can have left threads


def read_all(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_two_processes_write_the_same_bytes_as_one(
    job: PreparationJob, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    one, _ = prepare(job)
    request.getfixturevalue("always_fork")
    workers: list[int] = []

    def index(texts: Iterable[str]) -> bytes:
        workers.append(os.getpid())
        return index_speeches(texts)

    request.getfixturevalue("monkeypatch").setattr(pipeline, "index_speeches", index)
    two, _ = prepare(replace(job, out=tmp_path / "two"))
    assert workers == []  # it was called elsewhere
    assert two == one
    assert read_all(tmp_path / "two") == read_all(job.out)


def refuse() -> None:
    raise UserError("the disk is full")


def fail() -> None:
    raise ValueError("a bug")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("accident", "error", "message"),
    [
        (refuse, UserError, "^the disk is full$"),
        (die, UserError, r"was killed \(signal 9\), perhaps because memory ran out; close"),
        (fail, RuntimeError, "the second process ended with 1"),
    ],
)
@pytest.mark.usefixtures("always_fork")
def test_what_befalls_the_second_process_leaves_everything_as_it_was(
    job: PreparationJob,
    monkeypatch: pytest.MonkeyPatch,
    accident: Callable[[], None],
    error: type[Exception],
    message: str,
) -> None:
    prepare(job)
    files, neighbours = read_all(job.out), set(job.out.parent.iterdir())
    monkeypatch.setattr(pipeline, "index_speeches", lambda _texts: accident())
    with pytest.raises(error, match=message):
        prepare(job, fresh=True)
    assert read_all(job.out) == files
    assert set(job.out.parent.iterdir()) == neighbours


@pytest.mark.usefixtures("always_fork")
def test_an_error_of_the_first_process_ends_the_second(
    job: PreparationJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "index_speeches", lambda _texts: signal.pause())
    windows = replace(job.show.windows, minimum=1000, turns=1000)
    with pytest.raises(UserError, match="no episode to train on is long enough"):
        prepare(replace(job, show=replace(job.show, windows=windows)))
    assert not job.out.exists()


def test_ctrl_c_is_one_message_and_leaves_no_process() -> None:
    # Without a buffer, as PYTHONUNBUFFERED asks for, `print` writes a text and its newline apart.
    program = """
        import os
        import signal
        from data_prep.second_process import run_beside
        from nothing_gpt.errors import reported_errors

        def work():
            os.write(1, b"work\\n")
            signal.pause()

        # The tests can run where Ctrl-C is ignored, as a shell's job in the background.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with reported_errors(), run_beside(work, forks=True):
            os.write(1, b"block\\n")
            signal.pause()
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    process = subprocess.Popen(
        command,
        cwd=SHOWS.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    assert {process.stdout.readline(), process.stdout.readline()} == {"work\n", "block\n"}
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate(timeout=60) == ("", "stopped\n")  # both have closed their ends
    assert process.returncode == 130


def test_a_process_with_threads_is_not_forked() -> None:
    program = """
        import threading
        from data_prep.second_process import can_fork

        print(can_fork())
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        print(can_fork())
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, cwd=SHOWS.parent, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]
