"""The job: one new show, from its scripts to its adapter, as a file that survives restarts."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from nothing_gpt.files import read_json, write_json
from nothing_gpt.records import decode, encode

State = Literal[
    "empty", "collecting", "reading", "read", "training", "trained", "stopped", "failed"
]
"""Nothing yet; files arrive; data_prep runs; its report is there; train runs; the adapter is
there; training was stopped, and can go on; the last step failed, for the reason in `message`."""

BUSY: tuple[State, ...] = ("reading", "training")
"""The states in which a task runs."""


@dataclass(frozen=True, slots=True)
class Job:
    """A new show.

    Attributes:
        name: The show's; "" before the scripts are read for the first time.
        message: Why the last step failed or stopped.
        rights: By what right its owner trains on the scripts, in their own words.
        files: The name that each stored script had where it comes from.
        stopping: Whether the task was asked to stop.
    """

    state: State = "empty"
    name: str = ""
    message: str = ""
    rights: str = ""
    files: dict[str, str] = field(default_factory=dict)
    stopping: bool = False


def read_job(path: Path) -> Job:
    """Read the job; an empty one if there is none."""
    return decode(Job, read_json(path), str(path)) if path.exists() else Job()


def write_job(path: Path, job: Job) -> None:
    """Write the job."""
    write_json(path, encode(job))
