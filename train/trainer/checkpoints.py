"""Checkpoints that are used only if they are complete.

The trainer writes a checkpoint file by file, and a kill or a full disk can cut it short. At the
end a seal with the size of every file is written. A checkpoint without a matching seal is skipped.
"""

import shutil
import sys
from pathlib import Path

from nothing_gpt.errors import UserError
from nothing_gpt.files import read_json, write_json
from train.trainer.best_adapter import delete_best

_INPUTS = "inputs.json"
"""The fingerprint of the run that the checkpoints in a folder belong to."""

_SEAL = "sealed.json"


def open_folder(folder: Path, inputs: str, *, fresh: bool) -> Path | None:
    """Prepare a folder for a run, and return the checkpoint to continue from, if there is one.

    Checkpoints of another run and incomplete ones are deleted.

    Args:
        folder: The folder of the checkpoints.
        inputs: The fingerprint of data, base and configuration.
        fresh: Delete this run's checkpoints too.
    """
    marker = folder / _INPUTS
    if marker.is_file() and (fresh or read_json(marker) != inputs):
        if not fresh:
            print(f"{folder}: checkpoints of another configuration or data; starting afresh")
        for checkpoint in folder.glob("checkpoint-*"):
            shutil.rmtree(checkpoint)
        delete_best(folder)
    write_json(marker, inputs)
    latest, skipped = find_latest(folder)
    for incomplete in skipped:
        print(f"{incomplete}: not whole, skipped", file=sys.stderr)
        shutil.rmtree(incomplete)
    if latest:
        print(f"continuing from {latest.name}")
    return latest


def seal(checkpoint: Path) -> None:
    """Mark a checkpoint as complete, after all its files are written."""
    write_json(checkpoint / _SEAL, _sizes(checkpoint))


def find_latest(folder: Path) -> tuple[Path | None, list[Path]]:
    """Return the newest complete checkpoint, and the newer incomplete ones."""
    skipped: list[Path] = []
    for checkpoint in sorted(folder.glob("checkpoint-*"), key=_step, reverse=True):
        if _is_complete(checkpoint):
            return checkpoint, skipped
        skipped.append(checkpoint)
    return None, skipped


def _is_complete(checkpoint: Path) -> bool:
    try:
        return bool(read_json(checkpoint / _SEAL) == _sizes(checkpoint))
    except UserError:
        return False


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix("checkpoint-"))


def _sizes(checkpoint: Path) -> dict[str, int]:
    files = sorted(p for p in checkpoint.rglob("*") if p.is_file() and p.name != _SEAL)
    return {str(p.relative_to(checkpoint)): p.stat().st_size for p in files}
