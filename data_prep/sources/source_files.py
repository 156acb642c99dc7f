"""Script files from a folder, a zip, a single file or a Kaggle data set."""

import hashlib
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nothing_gpt.errors import UserError
from nothing_gpt.show import Corpus

KAGGLE_PREFIX = "kaggle:"
"""The start of a source that is a Kaggle data set: `kaggle:OWNER/NAME`."""

_HIDDEN = re.compile(r"(^|/)(\.|__MACOSX/)")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A script file, with its whole contents in memory; errors call it `name`."""

    name: str
    data: bytes

    @property
    def text(self) -> str:
        """The contents as text.

        Raises:
            UserError: they are not UTF-8; the message has the number of the line.
        """
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


def is_kaggle(source: str) -> bool:
    """Return whether a source is a Kaggle data set rather than a path."""
    return source.startswith(KAGGLE_PREFIX)


def read_files(place: Path, corpus: Corpus) -> list[SourceFile]:
    """Read the show's script files from a folder, a zip or a single file.

    Returns:
        For a corpus of kind table, the table and, if it exists, the table of titles. For Fountain,
        every Fountain file, ordered by name. Folders and zips are searched recursively.

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
                members = {name: zipfile.Path(archive, name) for name in archive.namelist()}
                return _read_chosen(place, members, corpus)
        if place.suffix == ".zip":
            raise UserError(f"{place}: not a whole zip archive; download it again")
        titles = place.parent / corpus.titles.file if corpus.titles else None
        paths = [place, titles] if titles and titles.is_file() else [place]
        return [SourceFile(str(path), path.read_bytes()) for path in paths]


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
) -> list[SourceFile]:
    visible = sorted(name for name in files if not _HIDDEN.search(name))
    if corpus.kind == "fountain":
        names = [name for name in visible if name.lower().endswith(".fountain")]
        if not names:
            raise UserError(f"{place}: no Fountain file (*.fountain) in it")
    else:
        names = _find(corpus.file, visible)
        if not names:
            raise UserError(
                f"{place}: no {corpus.file} in it; name the table itself with --source"
            )
        names += _find(corpus.titles.file, visible) if corpus.titles else []
    return [SourceFile(f"{place}/{name}", files[name].read_bytes()) for name in names]


def _find(file: str, names: list[str]) -> list[str]:
    """Return the name of that file in the outermost folder, in a list; an empty list for none."""
    matches = [name for name in names if PurePosixPath(name).name == file]
    return sorted(matches, key=lambda name: name.count("/"))[:1]


@contextmanager
def _read_errors(place: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, zipfile.BadZipFile) as error:
        raise UserError(f"{place}: cannot be read ({error})") from None
