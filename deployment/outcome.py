"""Jobs side by side: each says how it went, and none takes the others down."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from nothing_gpt.errors import UserError


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one job went, in words for a person; `idle` if there was nothing to do."""

    name: str
    text: str
    failed: bool = False
    idle: bool = False

    @classmethod
    def of_crash(cls, name: str, error: BaseException) -> "Outcome":
        """Say in a line what a job raised that is no answer; its log has the whole of it."""
        said = str(error).strip().splitlines()
        text = f"{type(error).__name__}: {said[-1] if said else 'no message'}"
        return cls(name, text, failed=True)


def attempt(name: str, job: Callable[[], str]) -> Outcome:
    """Do a job whose `UserError` is an answer: run again, it would only be raised again."""
    try:
        return Outcome(name, job())
    except UserError as error:
        return Outcome(name, str(error), failed=True)


def report(outcomes: Iterable[Outcome]) -> None:
    """Print how all jobs went, as they end.

    Raises:
        UserError: some of them failed; the message names them.
    """
    failed = []
    for outcome in outcomes:
        if outcome.failed:
            failed.append(outcome.name)
            print(f"{outcome.name}: error: {outcome.text}", file=sys.stderr)
        else:
            print(f"{outcome.name}: {outcome.text}")
    if failed:
        raise UserError(f"failed: {', '.join(failed)}; a rerun does only what is missing")
