"""Requests that are sent at the same time."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def run_in_threads(work: Callable[[T], R], items: Sequence[T], threads: int) -> Iterator[R]:
    """Yield results as they arrive. After an error only what is under way is finished."""
    pool = ThreadPoolExecutor(threads)
    try:
        for done in as_completed([pool.submit(work, item) for item in items]):
            yield done.result()
    finally:
        # The caller closes its client next, and a request that then still waits for a connection
        # waits for ever.
        pool.shutdown(cancel_futures=True)
