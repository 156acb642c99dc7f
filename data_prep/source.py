"""Where the scripts come from: a folder, a zip, a single file or a Kaggle data set."""

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nothing_gpt.errors import UserError
from nothing_gpt.show import Corpus

KAGGLE = "kaggle:"


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
        Fountain file, ordered by name.

    Raises:
        UserError: there is no such place, or nothing in it that the show's corpus asks for.
    """
    if not place.exists():
        raise UserError(f"{place}: no such folder or file; name the scripts with --source")
    with _explained(place):
        if place.is_dir():
            return _choose(place, {p.name: p for p in sorted(place.iterdir())}, corpus)
        if zipfile.is_zipfile(place):
            with zipfile.ZipFile(place) as archive:
                names = sorted(name for name in archive.namelist() if not name.endswith("/"))
                inside = {PurePosixPath(n).name: zipfile.Path(archive, n) for n in names}
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
    place: Path, inside: dict[str, Path] | dict[str, zipfile.Path], corpus: Corpus
) -> list[SourceFile]:
    if corpus.kind == "fountain":
        names = [n for n in inside if n.lower().endswith(".fountain") and not n.startswith(".")]
        if not names:
            raise UserError(f"{place}: no Fountain file (*.fountain) in it")
    else:
        if corpus.file not in inside:
            raise UserError(
                f"{place}: no {corpus.file} in it; name the table itself with --source"
            )
        names = [corpus.file]
        if corpus.titles and corpus.titles.file in inside:
            names.append(corpus.titles.file)
    return [SourceFile(f"{place}/{name}", inside[name].read_bytes()) for name in names]


@contextmanager
def _explained(place: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, zipfile.BadZipFile) as error:
        raise UserError(f"{place}: cannot be read ({error})") from None
