"""Where the scripts come from: a folder, a zip, a single file or a Kaggle data set."""

import hashlib
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nothing_gpt.errors import UserError
from nothing_gpt.show import Corpus

KAGGLE = "kaggle:"

_HIDDEN = re.compile(r"(^|/)(\.|__MACOSX/)")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of scripts, whole in memory; `name` is what to call it in an error."""

    name: str
    data: bytes

    @property
    def text(self) -> str:
        """The file as text.

        Raises:
            UserError: it is not UTF-8; the message says at which line.
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
        """A SHA-256 over name and content, in hex."""
        name = PurePosixPath(self.name).name.encode()
        return hashlib.sha256(name + b"\0" + self.data).hexdigest()


def read_files(place: Path, corpus: Corpus) -> list[SourceFile]:
    """Read the show's script files from a folder, a zip or a single file.

    Returns:
        For a table the table itself and, if it is there, the table of titles; else every
        Fountain file, ordered by name. Folders and zips are searched to the bottom.

    Raises:
        UserError: there is no such place, or nothing in it that the show's corpus asks for.
    """
    if not place.exists():
        raise UserError(f"{place}: no such folder or file; name the scripts with --source")
    with _explained(place):
        if place.is_dir():
            found = {path.relative_to(place).as_posix(): path for path in place.rglob("*")}
            return _choose(place, found, corpus)
        if zipfile.is_zipfile(place):
            with zipfile.ZipFile(place) as archive:
                inside = {name: zipfile.Path(archive, name) for name in archive.namelist()}
                return _choose(place, inside, corpus)
        if place.suffix == ".zip":
            raise UserError(f"{place}: not a whole zip archive; download it again")
        beside = place.parent / corpus.titles.file if corpus.titles else None
        paths = [place, beside] if beside and beside.is_file() else [place]
        return [SourceFile(str(path), path.read_bytes()) for path in paths]


def download_kaggle(handle: str) -> Path:
    """Fetch a Kaggle data set, or find the copy that kagglehub keeps.

    Args:
        handle: `OWNER/NAME`.

    Raises:
        UserError: no network, no access, or a broken download; each with what to do.
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
    except OSError as error:  # that of requests too
        why = (
            f"it cannot be downloaded ({error.strerror or type(error).__name__}); check the"
            " network and the space for ~/.cache/kagglehub"
        )
    except (DataCorruptionError, ValueError) as error:
        # A ValueError is about the handle or a credentials file that cannot be read.
        why = f"kagglehub says: {' '.join(str(error).split())}"
    raise UserError(
        f"Kaggle data set {handle}: {why}; or get the archive in a browser from"
        f" https://www.kaggle.com/datasets/{handle} and name it with --source"
    )


def _choose(
    place: Path, inside: Mapping[str, Path] | Mapping[str, zipfile.Path], corpus: Corpus
) -> list[SourceFile]:
    seen = sorted(name for name in inside if not _HIDDEN.search(name))
    if corpus.kind == "fountain":
        names = [name for name in seen if name.lower().endswith(".fountain")]
        if not names:
            raise UserError(f"{place}: no Fountain file (*.fountain) in it")
    else:
        names = _find(corpus.file, seen)
        if not names:
            raise UserError(
                f"{place}: no {corpus.file} in it; name the table itself with --source"
            )
        names += _find(corpus.titles.file, seen) if corpus.titles else []
    return [SourceFile(f"{place}/{name}", inside[name].read_bytes()) for name in names]


def _find(file: str, names: list[str]) -> list[str]:
    """The file of that name that lies least deep, if there is one."""
    found = [name for name in names if PurePosixPath(name).name == file]
    return sorted(found, key=lambda name: name.count("/"))[:1]


@contextmanager
def _explained(place: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, zipfile.BadZipFile) as error:
        raise UserError(f"{place}: cannot be read ({error})") from None
