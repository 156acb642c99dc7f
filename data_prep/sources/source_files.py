"""Script files from a folder, a zip or a single file."""

import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from data_prep.sources.encoding import describe_encoding, find_encoding
from nothing_gpt.errors import UserError
from nothing_gpt.show import Corpus

_ENCRYPTED = 0x1  # a flag of a member of a zip
_MAX_FILES = 20_000
_MAX_BYTES = 2 << 30
"""Limits of a source: a zip of a few kilobytes can claim to hold far more."""

_HIDDEN = re.compile(r"(^|/)(\.|__MACOSX/)")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A script file, with its whole contents in memory.

    Attributes:
        name: In messages.
        inner: Its path in the folder or archive that it comes from, if it comes from one.
    """

    name: str
    data: bytes
    inner: str = ""

    @property
    def path(self) -> str:
        """The path inside of the folder or archive that the file comes from."""
        return self.inner or PurePosixPath(self.name).name

    @property
    def text(self) -> str:
        """The contents as text.

        Raises:
            UserError: they are no text.
        """
        return self.data.decode(find_encoding(self.name, self.data)).removeprefix("\ufeff")

    def open_text(self) -> io.TextIOWrapper:
        """Open the contents as text whose line breaks stay as they are.

        Raises:
            UserError: they are no text.
        """
        encoding = find_encoding(self.name, self.data)
        text = io.TextIOWrapper(io.BytesIO(self.data), encoding, newline="")
        if text.read(1) != "\ufeff":
            text.seek(0)
        return text

    @property
    def encoding_note(self) -> str:
        """What to say about the file's encoding, "" if there is nothing to say."""
        return describe_encoding(self.name, find_encoding(self.name, self.data))

    @property
    def digest(self) -> str:
        """The SHA-256 of file name and contents, in hex."""
        digest = hashlib.sha256(PurePosixPath(self.name).name.encode() + b"\0")
        digest.update(self.data)
        return digest.hexdigest()


def read_files(place: Path, corpus: Corpus) -> list[SourceFile]:
    """Read the show's script files from a folder, a zip or a single file.

    Returns:
        For a corpus that names the file of its table, that table and, if it exists, the table of
        titles. Otherwise all files, ordered by name. Folders and zips are searched recursively.

    Raises:
        UserError: there is no such place, it lacks the table, is too large, or has a link that
            leads out of it.
    """
    if not place.exists():
        raise UserError(f"{place}: no such folder or file; name the scripts with --source")
    with _read_errors(place):
        if place.is_dir():
            files = {path.relative_to(place).as_posix(): path for path in place.rglob("*")}
            visible = [name for name in _list_visible(files) if files[name].is_file()]
            names = _choose(place, visible, corpus)
            _check_links(place, [files[name] for name in names])
            _check_size(place, [files[name].stat().st_size for name in names])
            return _read_all(place, files, names)
        if zipfile.is_zipfile(place) and place.suffix.lower() not in _ZIPPED_DOCUMENTS:
            with zipfile.ZipFile(place) as archive:
                return _read_archive(place, archive, corpus)
        if place.suffix == ".zip":
            raise UserError(f"{place}: not a whole zip archive; download it again")
        titles = place.parent / corpus.titles.file if corpus.titles else None
        paths = [place, titles] if titles and titles.is_file() else [place]
        _check_size(place, [path.stat().st_size for path in paths])
        return [SourceFile(str(path), path.read_bytes()) for path in paths]


_ZIPPED_DOCUMENTS = (".docx", ".odt", ".xlsx", ".ods", ".epub", ".highland")
"""Documents that are zips inside; none of their members is a script by itself."""


def _read_archive(place: Path, archive: zipfile.ZipFile, corpus: Corpus) -> list[SourceFile]:
    members = {member.filename: member for member in archive.infolist() if not member.is_dir()}
    names = _choose(place, _list_visible(members), corpus)
    if any(members[name].flag_bits & _ENCRYPTED for name in names):
        raise UserError(f"{place}: is encrypted; unpack it and name the folder with --source")
    _check_size(place, [members[name].file_size for name in names])
    return _read_all(place, {name: zipfile.Path(archive, name) for name in names}, names)


def _list_visible(files: Mapping[str, object]) -> list[str]:
    return sorted(name for name in files if not _HIDDEN.search(name))


def _choose(place: Path, names: list[str], corpus: Corpus) -> list[str]:
    if not corpus.file:
        if not names:
            raise UserError(f"{place}: no file in it; name the scripts with --source")
        return names
    table = _find(corpus.file, names)
    if not table:
        raise UserError(f"{place}: no {corpus.file} in it; name the table itself with --source")
    return table + (_find(corpus.titles.file, names) if corpus.titles else [])


def _find(file: str, names: list[str]) -> list[str]:
    """Return the name of that file in the outermost folder, in a list; an empty list for none."""
    matches = [name for name in names if PurePosixPath(name).name == file]
    return sorted(matches, key=lambda name: name.count("/"))[:1]


def _check_links(folder: Path, paths: list[Path]) -> None:
    """Refuse links that lead out of a folder: it can come from somebody else."""
    inside = folder.resolve()
    if inside.parent.name == "snapshots":  # the hub's cache: the files are in `blobs` beside it
        inside = inside.parents[1]
    for path in paths:
        if not path.resolve().is_relative_to(inside):
            raise UserError(
                f"{path}: is a link that leads out of {folder}; put a copy there, or delete it"
            )


def _check_size(place: Path, sizes: list[int]) -> None:
    if len(sizes) > _MAX_FILES or sum(sizes) > _MAX_BYTES:
        raise UserError(
            f"{place}: {len(sizes):,} files of {sum(sizes):,} bytes are more than the limit"
            f" ({_MAX_FILES:,} files, {_MAX_BYTES:,} bytes); name a smaller part with --source"
        )


def _read_all(
    place: Path, files: Mapping[str, Path] | Mapping[str, zipfile.Path], names: list[str]
) -> list[SourceFile]:
    return [SourceFile(f"{place}/{name}", files[name].read_bytes(), name) for name in names]


@contextmanager
def _read_errors(place: Path) -> Iterator[None]:
    try:
        yield
    except NotImplementedError as error:  # of zipfile, for a way to compress that it lacks
        raise UserError(
            f"{place}: cannot be unpacked ({error}); unpack it with the program that made it, and"
            " name the folder with --source"
        ) from None
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{place}: cannot be read ({error})") from None
