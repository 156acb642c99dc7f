"""Quotations of all shows, by the indexes in the workspace."""

from pathlib import Path

from nothing_gpt.quotation import FILE, Quotations, read_quotations
from nothing_gpt.show import Show
from nothing_gpt.workspace import Workspace


class ShowQuotations:
    """The indexes of shows; one is read again after data_prep has written it anew."""

    def __init__(self) -> None:
        self._read: dict[str, tuple[int, Quotations]] = {}

    def contains(self, show: Show, text: str) -> bool:
        """Return whether a text is in the scripts that a show's models are trained on."""
        folder = Workspace.default().data(show.name)
        version = _find_version(folder / FILE)
        found = self._read.get(show.name)
        if found is None or found[0] != version:
            found = self._read[show.name] = version, read_quotations(folder)
        return found[1].contains(text)


def _find_version(path: Path) -> int:
    """Return what differs after a file was written anew; 0 without one."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
