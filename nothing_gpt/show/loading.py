"""The TOML files of shows."""

import re
import tomllib
import unicodedata
from pathlib import Path

from nothing_gpt.errors import UserError
from nothing_gpt.records import decode
from nothing_gpt.show.show import Show

SHOWS = Path(__file__).resolve().parents[2] / "shows"
"""The folder of the shows in the checkout, each in `NAME/show.toml`."""


def show_names() -> list[str]:
    """List the names of the shows in the checkout."""
    return sorted(path.parent.name for path in SHOWS.glob("*/show.toml"))


def show_path(name_or_path: str) -> Path:
    """Find a show's TOML file by the show's name or by a path.

    Raises:
        UserError: there is no such show; the message lists the known ones.
    """
    path = Path(name_or_path)
    if path.suffix == ".toml":
        if path.is_file():
            return path
        raise UserError(f"{path}: no such show file")
    path = SHOWS / name_or_path / "show.toml"
    if name_or_path not in show_names():
        known = ", ".join(show_names())
        raise UserError(f"no show '{name_or_path}'; known: {known}; or give a path to a .toml")
    return path


def name_source(source: str) -> str:
    """Return a show's name made of the name of its scripts; no show of the checkout has it."""
    stem = Path(source.rstrip("/").rpartition("/")[2].rpartition(":")[2]).resolve().stem
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().lower()
    words = re.sub("[^a-z0-9]+", "_", plain).strip("_")
    name = words if words.isidentifier() else f"show_{words}".rstrip("_")
    return f"{name}_draft" if name in show_names() else name


def load_show(name_or_path: str) -> Show:
    """Read a show by name or from a TOML file.

    Raises:
        UserError: the file is not valid; the message names it and the key.
    """
    path = show_path(name_or_path)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{path}: not a readable TOML file ({error})") from None
    return decode(Show, data, str(path))
