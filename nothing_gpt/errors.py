"""The one error that a person can mend, and the one place that reports it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class UserError(Exception):
    """Something a person can mend: the message says what is wrong, where, and what to do.

    Raised anywhere, caught only at entry points, by `reported_errors`.
    """


@contextmanager
def reported_errors() -> Iterator[None]:
    """Turn a `UserError` or Ctrl-C into one message and a non-zero exit; let the rest crash.

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
