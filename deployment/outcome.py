"""The outcomes of jobs that run in parallel: one failed job does not stop the others."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from nothing_gpt.errors import UserError


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one job, as text for a person; `idle` if there was nothing to do."""

    name: str
    text: str
    failed: bool = False
    idle: bool = False

    @classmethod
    def of_crash(cls, name: str, error: BaseException) -> "Outcome":
        """Describe an unexpected exception of a job in one line; the job's log has all of it."""
        lines = str(error).strip().splitlines()
        text = f"{type(error).__name__}: {lines[-1] if lines else 'no message'}"
        return cls(name, text, failed=True)


def attempt(name: str, job: Callable[[], str]) -> Outcome:
    """Run a job and turn its `UserError` into an outcome.

    Raised, the error would make Modal run the job again, to fail in the same way.
    """
    try:
        return Outcome(name, job())
    except UserError as error:
        return Outcome(name, str(error), failed=True)


def report(outcomes: Iterable[Outcome]) -> None:
    """Print the outcomes of all jobs, each as its job ends.

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
