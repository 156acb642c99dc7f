"""The files of a model's run: its scenes and losses as they arrive, and what made them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from evaluation.passages import Window
from evaluation.record_file import drop_unfinished
from nothing_gpt.errors import UserError
from nothing_gpt.files import fingerprint, read_json, write_json
from nothing_gpt.line import Line, MalformedLine, parse_lines
from nothing_gpt.records import decode, encode
from nothing_gpt.show import FormatName, Generation

SCENES_FILE = "scenes.jsonl"
LOSSES_FILE = "losses.jsonl"
_RUN_FILE = "run.json"

_SAMPLE_SEEDS = 100_000
"""Seeds between two samples of a window."""


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

    @property
    def seed(self) -> int:
        """The seed that the server was given."""
        return choose_seed(self.window, self.sample)

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


Split = Literal["held-out", "training"]
"""The episodes that contexts are from."""


@dataclass(frozen=True, slots=True)
class RunDescription:
    """What made the scenes of a folder.

    Attributes:
        windows: The fingerprint of the windows' prompts.
        split: Where these windows are.
    """

    model: str
    format: FormatName
    generation: Generation
    windows: str
    split: Split = "held-out"


def fingerprint_windows(windows: Sequence[Window]) -> str:
    """Return the fingerprint of windows' prompts."""
    return fingerprint([window.messages for window in windows])


def choose_seed(window: int, sample: int) -> int:
    """Return the seed of a sample of a window's continuation."""
    return window + _SAMPLE_SEEDS * sample


def read_scenes(folder: Path) -> list[SceneRecord]:
    """Read the scenes that are there already."""
    path = folder / SCENES_FILE
    return [decode(SceneRecord, record, str(path)) for record in _read_records(path)]


def read_losses(folder: Path) -> list[WindowLoss]:
    """Read the losses that are there already."""
    path = folder / LOSSES_FILE
    return [decode(WindowLoss, record, str(path)) for record in _read_records(path)]


def write_description(folder: Path, description: RunDescription) -> None:
    """Write what made the scenes of a folder."""
    write_json(folder / _RUN_FILE, encode(description))


def read_description(folder: Path) -> RunDescription | None:
    """Read what made the scenes of a folder; None if it does not say."""
    path = folder / _RUN_FILE
    return decode(RunDescription, read_json(path), str(path)) if path.is_file() else None


def _read_records(path: Path) -> list[Any]:
    if not path.is_file():
        return []
    drop_unfinished(path)
    try:
        return [json.loads(line) for line in path.read_bytes().splitlines()]
    except ValueError as error:
        raise UserError(f"{path}: damaged ({error}); run again with --fresh") from None
