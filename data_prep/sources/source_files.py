"""Script files from a folder, a zip, a single file or a Kaggle data set."""

import codecs
import hashlib
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nothing_gpt.errors import UserError
from nothing_gpt.show import Corpus

KAGGLE_PREFIX = "kaggle:"
"""The start of a source that is a Kaggle data set: `kaggle:OWNER/NAME`."""

_SCREENPLAYS = (".fountain", ".fdx")
_ENCRYPTED = 0x1  # a flag of a member of a zip
_SAMPLE = 4096  # bytes that show an encoding

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
        """The contents as text: UTF-8, or UTF-16 with its byte order mark or mostly in ASCII.

        Raises:
            UserError: they are neither; the message has the number of the line.
        """
        if encoding := _find_utf16(self.data):
            try:
                return self.data.decode(encoding).removeprefix("\ufeff")
            except UnicodeDecodeError:
                raise UserError(
                    f"{self.name}: looks like UTF-16, but is damaged; save it again as UTF-8"
                ) from None
        try:
            return self.data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = self.data.count(b"\n", 0, error.start) + 1
            raise UserError(
                f"{self.name}: line {line} is not UTF-8 (byte 0x{self.data[error.start]:02x});"
                " save the file again as UTF-8"
            ) from None

    @property
    def digest(self) -> str:
        """The SHA-256 of file name and contents, in hex."""
        name = PurePosixPath(self.name).name.encode()
        return hashlib.sha256(name + b"\0" + self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """The script files of a source, and the names of the files that are not scripts."""

    files: list[SourceFile]
    skipped: tuple[str, ...] = ()


def is_kaggle(source: str) -> bool:
    """Return whether a source is a Kaggle data set rather than a path."""
    return source.startswith(KAGGLE_PREFIX)


def read_files(place: Path, corpus: Corpus) -> FoundFiles:
    """Read the show's script files from a folder, a zip or a single file.

    Returns:
        For a corpus of kind table, the table and, if it exists, the table of titles. For Fountain,
        every Fountain and Final Draft file, ordered by name. Folders and zips are searched
        recursively.

    Raises:
        UserError: there is no such place, or it has no file that the show's corpus asks for.
    """
    if not place.exists():
        raise UserError(f"{place}: no such folder or file; name the scripts with --source")
    with _read_errors(place):
        if place.is_dir():
            files = {path.relative_to(place).as_posix(): path for path in place.rglob("*")}
            return _read_chosen(place, files, corpus)
        if zipfile.is_zipfile(place):
            with zipfile.ZipFile(place) as archive:
                _check_encryption(place, archive)
                members = {name: zipfile.Path(archive, name) for name in archive.namelist()}
                return _read_chosen(place, members, corpus)
        if place.suffix == ".zip":
            raise UserError(f"{place}: not a whole zip archive; download it again")
        titles = place.parent / corpus.titles.file if corpus.titles else None
        paths = [place, titles] if titles and titles.is_file() else [place]
        return FoundFiles([SourceFile(str(path), path.read_bytes()) for path in paths])


def download_kaggle(handle: str) -> Path:
    """Download a Kaggle data set, or find the copy in kagglehub's cache.

    Args:
        handle: `OWNER/NAME`.

    Raises:
        UserError: no network, no access, or a broken download; each message says what to do.
    """
    import kagglehub
    import requests
    from kagglehub.exceptions import DataCorruptionError, UnauthenticatedError

    try:
        return Path(kagglehub.dataset_download(handle))
    except (requests.HTTPError, UnauthenticatedError) as error:
        response = getattr(error, "response", None)
        status = 401 if response is None else response.status_code
        if status in (401, 403):
            why = (
                f"Kaggle refused access ({status}); make a token at"
                " https://www.kaggle.com/settings and put it into KAGGLE_API_TOKEN"
            )
        elif status == 404:
            why = "Kaggle has none of that name; check 'source' in the show's [corpus]"
        else:
            why = f"Kaggle answered {status}; try again later"
    except OSError as error:  # includes the connection errors of requests
        why = (
            f"it cannot be downloaded ({error.strerror or type(error).__name__}); check the"
            " network and the space for ~/.cache/kagglehub"
        )
    except (DataCorruptionError, ValueError) as error:
        # A ValueError is about the handle, or about a credentials file that cannot be read.
        why = f"kagglehub says: {' '.join(str(error).split())}"
    raise UserError(
        f"Kaggle data set {handle}: {why}; or get the archive in a browser from"
        f" https://www.kaggle.com/datasets/{handle} and name it with --source"
    )


def _read_chosen(
    place: Path, files: Mapping[str, Path] | Mapping[str, zipfile.Path], corpus: Corpus
) -> FoundFiles:
    visible = sorted(
        name for name, path in files.items() if not _HIDDEN.search(name) and path.is_file()
    )
    skipped: list[str] = []
    if corpus.kind == "fountain":
        names = [name for name in visible if name.lower().endswith(_SCREENPLAYS)]
        skipped = [name for name in visible if name not in names]
        if not names:
            raise UserError(f"{place}: no Fountain or Final Draft file (*.fountain, *.fdx) in it")
    else:
        names = _find(corpus.file, visible)
        if not names:
            raise UserError(
                f"{place}: no {corpus.file} in it; name the table itself with --source"
            )
        names += _find(corpus.titles.file, visible) if corpus.titles else []
    found = [SourceFile(f"{place}/{name}", files[name].read_bytes(), name) for name in names]
    return FoundFiles(found, tuple(skipped))


def _find(file: str, names: list[str]) -> list[str]:
    """Return the name of that file in the outermost folder, in a list; an empty list for none."""
    matches = [name for name in names if PurePosixPath(name).name == file]
    return sorted(matches, key=lambda name: name.count("/"))[:1]


def _check_encryption(place: Path, archive: zipfile.ZipFile) -> None:
    if any(member.flag_bits & _ENCRYPTED for member in archive.infolist()):
        raise UserError(f"{place}: is encrypted; unpack it and name the folder with --source")


def _find_utf16(data: bytes) -> str:
    """Return which UTF-16 it is, by the byte order mark or by the zeros of ASCII; "" for none."""
    start = data[:_SAMPLE]
    for mark, name in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if start.startswith(mark):
            return name
    zeros = [start[0::2].count(0), start[1::2].count(0)]
    if max(zeros) * 4 > len(start) and min(zeros) == 0:
        return "utf-16-be" if zeros[0] else "utf-16-le"
    return ""


@contextmanager
def _read_errors(place: Path) -> Iterator[None]:
    try:
        yield
    except NotImplementedError as error:  # of zipfile, for a way to compress that it lacks
        raise UserError(
            f"{place}: cannot be unpacked ({error}); unpack it with the program that made it, and"
            " name the folder with --source"
        ) from None
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{place}: cannot be read ({error})") from None
