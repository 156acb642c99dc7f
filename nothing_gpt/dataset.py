"""What data_prep leaves for the later stages: where, and under which names."""

from pathlib import Path

from nothing_gpt.show import FormatName, Show
from nothing_gpt.workspace import Workspace

TRAIN = "train.jsonl"
VALIDATION = "val.jsonl"
DIALOGUES = "dialogues.jsonl"
REPORT = "report.json"


def find_folder(workspace: Workspace, show: Show, format_name: FormatName) -> Path:
    """Where a show's examples of a format lie; those of its own format have the plain name."""
    variant = "" if format_name == show.prompt.format else format_name
    return workspace.data(show.name, variant)
