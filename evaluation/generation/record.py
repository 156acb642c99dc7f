"""The files of a model's scenes and losses: a JSON object a line, added as each arrives."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nothing_gpt.errors import UserError
from nothing_gpt.line import Line, MalformedLine, parse_lines
from nothing_gpt.records import decode

SCENES_FILE = "scenes.jsonl"
LOSSES_FILE = "losses.jsonl"


@dataclass(frozen=True, slots=True)
class SceneRecord:
    """A scene as the server sent it.

    Attributes:
        window: The number of the window among the disjoint ones.
        finish: The server's reason for the end.
        tokens: How many tokens it has, or an upper limit.
    """

    window: int
    sample: int
    text: str
    finish: str
    tokens: int

    def list_lines(self) -> list[Line | MalformedLine]:
        """Parse the text, without a last line that the limit of tokens cut off."""
        lines = parse_lines(self.text)
        cut = self.finish == "length" and not self.text.endswith("\n")
        return lines[:-1] if cut else lines


@dataclass(frozen=True, slots=True)
class WindowLoss:
    """A model's loss on a window's real lines.

    Attributes:
        bits: Summed over the lines' tokens.
        size: The lines' bytes.
    """

    window: int
    bits: float
    size: int


def read_scenes(folder: Path) -> list[SceneRecord]:
    """Read the scenes that are there already."""
    path = folder / SCENES_FILE
    return [decode(SceneRecord, record, str(path)) for record in _read_records(path)]


def read_losses(folder: Path) -> list[WindowLoss]:
    """Read the losses that are there already."""
    path = folder / LOSSES_FILE
    return [decode(WindowLoss, record, str(path)) for record in _read_records(path)]


def append_record(path: Path, record: SceneRecord | WindowLoss) -> None:
    """Add a record to a file of the folder.

    Raises:
        UserError: the file cannot be written.
    """
    data = json.dumps(asdict(record), ensure_ascii=False).encode() + b"\n"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(handle, "ab") as file:
            file.write(data)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}); free space") from None


def _read_records(path: Path) -> list[Any]:
    """Read a file of records; remove a last line that was not written to its end."""
    if not path.is_file():
        return []
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)
    try:
        return [json.loads(line) for line in data[:whole].splitlines()]
    except ValueError as error:
        raise UserError(f"{path}: damaged ({error}); run again with --fresh") from None
