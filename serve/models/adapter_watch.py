"""Adapters that are finished while the server runs."""

from pathlib import Path

from nothing_gpt.adapter.manifest import FILE


class AdapterWatch:
    """Finds the adapters of a folder that are new, or were trained again, since the last look."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen = self._list()

    def _list(self) -> dict[str, tuple[int, int]]:
        """Return what tells an adapter's manifest from the one before: its time and its inode."""
        found = {}
        for path in self._folder.glob(f"*/{FILE}"):
            try:
                stat = path.stat()
            except FileNotFoundError:  # replaced at this moment
                continue
            if not path.parent.name.startswith("."):
                found[path.parent.name] = (stat.st_mtime_ns, stat.st_ino)
        return found

    def find_newest(self) -> str | None:
        """Return the name of the newest adapter since the last look; None if there is none."""
        before, self._seen = self._seen, self._list()
        changed = [name for name, state in self._seen.items() if before.get(name) != state]
        return max(changed, key=self._seen.__getitem__, default=None)
