"""The files that a visitor of the room has sent: a bounded folder with harmless names."""

import base64
import binascii
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from nothing_gpt.errors import UserError
from nothing_gpt.files import make_folder

MAX_FILES = 2_000
MAX_BYTES = 256 << 20
"""Limits of all files together."""

_MAX_NAME = 200  # bytes of a stored name; file systems have 255
_UNSAFE = frozenset('/\\:*?"<>|')


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a file, as the room sends it.

    Attributes:
        name: The file's name where it comes from, with its folders.
        offset: Where the part begins.
        data: The bytes, in base64.
    """

    name: str
    offset: int
    data: str


@dataclass
class Uploads:
    """The folder, and the name that each stored file had where it comes from."""

    folder: Path
    names: dict[str, str] = field(default_factory=dict)

    def add(self, chunk: Chunk) -> None:
        """Add a part to its file; one that was sent before is not added again.

        Raises:
            UserError: the files are too many or too large, a part is missing, or the disk is full.
        """
        try:
            data = base64.b64decode(chunk.data, validate=True)
        except binascii.Error:
            raise UserError(f"{chunk.name}: arrived damaged; send it again") from None
        stored = _make_safe(chunk.name)
        if self.names.get(stored, chunk.name) != chunk.name:
            raise UserError(
                f"{chunk.name} and {self.names[stored]} would have one name here; rename one"
            )
        path = self.folder / stored
        size = path.stat().st_size if path.exists() else 0
        if chunk.offset + len(data) <= size and chunk.offset:
            return
        if chunk.offset not in (0, size):
            raise UserError(f"{chunk.name}: a part of it is missing; send it again")
        if stored not in self.names and len(self.names) >= MAX_FILES:
            raise UserError(f"more than {MAX_FILES:,} files; put them into one zip")
        if self._count_bytes(but=path) + chunk.offset + len(data) > MAX_BYTES:
            raise UserError(f"more than {MAX_BYTES >> 20} MiB of scripts; send fewer files")
        try:
            make_folder(self.folder)
            with path.open("ab" if chunk.offset else "wb") as file:
                file.write(data)
        except OSError as error:
            raise UserError(
                f"{chunk.name}: cannot be stored ({error.strerror}); free space on the disk"
            ) from None
        self.names[stored] = chunk.name

    def _count_bytes(self, *, but: Path) -> int:
        others = (self.folder / name for name in self.names)
        return sum(path.stat().st_size for path in others if path != but)

    @property
    def source(self) -> Path:
        """What data_prep reads: the folder, or a zip if that is all there is."""
        (first, *others) = self.names or ("",)
        return self.folder / first if first.endswith(".zip") and not others else self.folder


def _make_safe(name: str) -> str:
    """Make a file's name from a text: folders become words of it."""
    parts = PurePosixPath(unicodedata.normalize("NFC", name).replace("\\", "/")).parts
    safe = " - ".join(
        "".join(c for c in part if c.isprintable() and c not in _UNSAFE).strip(" .")
        for part in parts
        if part.strip(" ./")
    )
    path = PurePosixPath(safe.lstrip(" .-") or "script")
    suffix = path.suffix if len(path.suffix) < 12 else ""
    stem = path.name.removesuffix(suffix).encode()[: _MAX_NAME - len(suffix.encode())]
    return stem.decode(errors="ignore") + suffix.lower()
