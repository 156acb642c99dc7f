"""Progress as JSON Lines in a file, for a program that shows it elsewhere."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

VARIABLE = "NOTHING_GPT_PROGRESS"
"""Environment variable with the file's path; without it nothing is recorded."""


def record_progress(values: Mapping[str, Any]) -> None:
    """Append an object to the file.

    Either how far a computation is (`title`, `done`, `steps`, `seconds_left`), or a figure of a
    training step (`step` with `loss` or `eval_loss`).
    """
    path = os.environ.get(VARIABLE)
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")


def read_progress(path: Path) -> list[dict[str, Any]]:
    """Read the whole lines of the file; an empty list without one."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines]
