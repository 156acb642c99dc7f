"""The adapter with the lowest held-out loss so far, kept beside the last one."""

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from nothing_gpt.files import atomic_folder, read_json, write_json

if TYPE_CHECKING:
    from peft import PeftModel

LAST = "last"
"""Folder within an adapter's: the adapter as it was at the end, where that was not the best."""

_FOLDER, _SCORE = "best", "score.json"


@dataclass(frozen=True, slots=True)
class HeldOutScore:
    """A held-out loss in nats a token, and the optimiser step it was measured at."""

    step: int
    loss: float


def find_best(work: Path) -> HeldOutScore | None:
    """Read the score of the best adapter so far."""
    path = work / _FOLDER / _SCORE
    return HeldOutScore(**read_json(path)) if path.is_file() else None


def save_best(model: "PeftModel", score: HeldOutScore, work: Path) -> None:
    """Save an adapter unless one before it was as good."""
    best = find_best(work)
    if best is None or score.loss < best.loss:
        with atomic_folder(work / _FOLDER) as folder:
            model.save_pretrained(str(folder))
            write_json(folder / _SCORE, asdict(score))


def forget_best(work: Path) -> None:
    """Remove the best adapter of another run."""
    shutil.rmtree(work / _FOLDER, ignore_errors=True)


def save_adapter(
    model: "PeftModel", last: HeldOutScore, work: Path, folder: Path
) -> Literal["best", "last"]:
    """Put the better one of the best and the last adapter into a folder, and say which it was.

    If it is not the last, that one lies in a folder below.
    """
    best = find_best(work)
    if best is None or last.loss <= best.loss:
        model.save_pretrained(str(folder))
        return "last"
    shutil.copytree(
        work / _FOLDER, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(_SCORE)
    )
    model.save_pretrained(str(folder / LAST))
    return "best"
