"""The output folder: its files, and whether it can be kept or replaced."""

from pathlib import Path

from data_prep.report import DataReport
from nothing_gpt.errors import UserError
from nothing_gpt.files import read_json
from nothing_gpt.quotation import FILE as QUOTATIONS_FILE
from nothing_gpt.records import decode
from nothing_gpt.workspace import DATA_REPORT_FILE, DIALOGUES_FILE, HELD_OUT_FILE, TRAINING_FILE

READABLE_REPORT = "report.md"

OUTPUTS = frozenset(
    {
        DIALOGUES_FILE,
        TRAINING_FILE,
        HELD_OUT_FILE,
        DATA_REPORT_FILE,
        QUOTATIONS_FILE,
        READABLE_REPORT,
    }
)
"""All files of the output folder."""

_IGNORED = frozenset({".DS_Store"})


def read_finished_report(out: Path) -> DataReport | None:
    """Return the report of an earlier run; None unless it and all its outputs are complete."""
    if not all((out / name).is_file() for name in OUTPUTS):
        return None
    try:
        return decode(DataReport, read_json(out / DATA_REPORT_FILE), str(out / DATA_REPORT_FILE))
    except UserError:  # written by an older version or edited by hand: it will be replaced
        return None


def check_replaceable(out: Path) -> None:
    """Refuse an output folder that contains anything but earlier output.

    Raises:
        UserError: the folder is a file, or contains other files.
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise UserError(f"{out}: is a file; choose a folder for the output")
    others = sorted({path.name for path in out.iterdir()} - OUTPUTS - _IGNORED)
    if others:
        raise UserError(
            f"{out}: holds other things ({', '.join(others[:3])}), and the output would take the"
            " folder's place; choose a new or empty folder with --out"
        )
