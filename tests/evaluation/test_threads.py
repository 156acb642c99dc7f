"""Requests that are sent at the same time."""

from threading import Event

import pytest

from evaluation.threads import run_in_threads


def test_an_error_comes_when_no_request_is_under_way() -> None:
    """What closes the client next would leave a request waiting for a connection for ever."""
    begun, failed = Event(), Event()
    started: list[int] = []
    ended: list[int] = []

    def work(item: int) -> int:
        if item == 0:
            begun.wait()
            failed.set()
            raise ValueError("a wrong answer")
        started.append(item)
        begun.set()
        failed.wait()
        Event().wait(0.2)
        ended.append(item)
        return item

    with pytest.raises(ValueError, match="a wrong answer"):
        list(run_in_threads(work, [0, 1, 2], 2))
    assert sorted(ended) == sorted(started)
