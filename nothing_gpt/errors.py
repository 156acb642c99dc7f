"""The error for problems that the user can solve, and the one place that reports it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class UserError(Exception):
    """A problem that the user can solve; the message says what is wrong, where, and what to do.

    It can be raised anywhere and is caught only at entry points, by `reported_errors`.
    """


@contextmanager
def reported_errors() -> Iterator[None]:
    """Turn a `UserError` or Ctrl-C into one message and a non-zero exit status.

    All other exceptions pass through, with their traceback.

    Raises:
        SystemExit: 1 after a `UserError`, 130 (128 + SIGINT) after Ctrl-C.
    """
    try:
        yield
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        raise SystemExit(130) from None
