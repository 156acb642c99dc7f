"""Files to which a record is added as it arrives: a JSON object a line, for their owner only."""

import json
import os
from pathlib import Path

from nothing_gpt.errors import UserError
from nothing_gpt.files import make_folder
from nothing_gpt.records import encode


def append_record(path: Path, record: object) -> None:
    """Add a dataclass to a file.

    Raises:
        UserError: the file cannot be written.
    """
    data = json.dumps(encode(record), ensure_ascii=False).encode() + b"\n"
    try:
        make_folder(path.parent)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(handle, "ab") as file:
            file.write(data)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}); free space") from None


def drop_unfinished(path: Path) -> None:
    """Remove a last record that was not written to its end, for example in a full disk."""
    if not path.is_file():
        return
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)
