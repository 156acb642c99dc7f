"""A second process beside the first, which has all of its memory without a copy."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nothing_gpt.errors import UserError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


def can_fork() -> bool:
    """Return whether this process can be forked safely.

    A lock that another thread holds would stay locked in the fork. On macOS, libraries of the
    system start threads of their own.
    """
    return sys.platform == "linux" and threading.active_count() == 1


@contextmanager
def run_beside(work: Callable[[], None], *, forks: bool) -> Iterator[None]:
    """Run work in a fork of this process while the block runs; wait for both.

    If the block fails, the fork is killed.

    Args:
        forks: Without it, the work is done in this process, before the block.

    Raises:
        UserError: the work raised it, or the fork was killed.
        RuntimeError: the work raised another exception; the fork has printed its traceback.
    """
    if not forks:
        work()
        yield
        return
    from multiprocessing import get_context

    context = get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(work, sender), daemon=True)
    process.start()
    try:
        yield
        process.join()
        if receiver.poll():
            raise UserError(receiver.recv())
        status = process.exitcode or 0
        if status < 0:
            raise UserError(
                f"the second process of data_prep was killed (signal {-status}), perhaps because"
                " memory ran out; close other programs and run it again"
            )
        if status:
            raise RuntimeError(f"the second process ended with {status}")
    finally:
        process.kill()
        process.join()


def _run(work: Callable[[], None], sender: "Connection") -> None:
    # Ctrl-C reaches both processes. The first one then kills this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        work()
    except UserError as error:
        sender.send(str(error))
