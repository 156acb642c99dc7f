"""Checkpoints that are whole or do not count.

The trainer writes a checkpoint file by file, and a kill or a full disk may cut it short. When it
is done, a seal is written last, with the size of every file; what has no matching seal is skipped.
"""

from pathlib import Path

from nothing_gpt.errors import UserError
from nothing_gpt.files import read_json, write_json

_SEAL = "sealed.json"


def seal(checkpoint: Path) -> None:
    """Declare a checkpoint whole, once everything in it is written."""
    write_json(checkpoint / _SEAL, _sizes(checkpoint))


def find_latest(folder: Path) -> tuple[Path | None, list[Path]]:
    """Find the newest whole checkpoint, and the newer ones that had to be skipped."""
    skipped: list[Path] = []
    for checkpoint in sorted(folder.glob("checkpoint-*"), key=_step, reverse=True):
        if _is_whole(checkpoint):
            return checkpoint, skipped
        skipped.append(checkpoint)
    return None, skipped


def _is_whole(checkpoint: Path) -> bool:
    try:
        return bool(read_json(checkpoint / _SEAL) == _sizes(checkpoint))
    except UserError:
        return False


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix("checkpoint-"))


def _sizes(checkpoint: Path) -> dict[str, int]:
    files = sorted(p for p in checkpoint.rglob("*") if p.is_file() and p.name != _SEAL)
    return {str(p.relative_to(checkpoint)): p.stat().st_size for p in files}
