"""Atomic writing of files and folders, reading of JSON, and fingerprints of inputs.

What is written here is readable by its owner only: scripts and weights can be private.
"""

import errno
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from nothing_gpt.errors import UserError

_BUFFER = 1 << 20


def make_folder(folder: Path) -> None:
    """Create a folder, and those that it is in, for its owner only; existing ones stay.

    Raises:
        OSError: it cannot be created.
    """
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """Yield a temporary folder beside target, and rename it to target if the block succeeds.

    An existing target is replaced as a whole. If the block fails, it is not changed.

    Raises:
        UserError: the target cannot be written, or the disk is full.
    """
    with _write_errors(target):
        make_folder(target.parent)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            yield work
            if target.exists():
                old = work.with_name(work.name + "-old")
                target.rename(old)
                work.rename(target)
                shutil.rmtree(old)
            else:
                work.rename(target)
        finally:
            shutil.rmtree(work, ignore_errors=True)


@contextmanager
def locked_folder(folder: Path, conflict: str) -> Iterator[None]:
    """Create a folder and lock it for this process; the lock ends with the process.

    Raises:
        UserError: another process has locked it (the message is `conflict`), or it cannot be
            created.
    """
    with _write_errors(folder):
        make_folder(folder)
        lock = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{folder}: {conflict}; wait for it or stop it") from None
        yield
    finally:
        os.close(lock)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically; create its folder if necessary.

    Raises:
        UserError: the file cannot be written, or the disk is full.
    """
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file atomically; create its folder if necessary.

    Raises:
        UserError: the file cannot be written, or the disk is full.
    """
    with _atomic_file(path) as file:
        file.write(data)


@contextmanager
def _atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a temporary file beside a path, and rename it to the path if the block succeeds."""
    with _write_errors(path):
        make_folder(path.parent)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb", buffering=_BUFFER) as file:
                yield file
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)


def write_json(path: Path, data: Any) -> None:
    """Write indented JSON; keys stay in their order."""
    write_text(path, json.dumps(data, indent=2, ensure_ascii=False) + "\n")


def write_lines(path: Path, lines: Iterable[bytes]) -> int:
    """Write lines, one after the other; return their number.

    Raises:
        UserError: the file cannot be written, or the disk is full.
    """
    count = 0
    with _atomic_file(path) as file:
        for line in lines:
            file.write(line)
            file.write(b"\n")
            count += 1
    return count


def read_json(path: Path) -> Any:
    """Read a JSON file that another stage wrote.

    Raises:
        UserError: the file cannot be read, or it is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise UserError(f"{path}: not valid JSON ({error}); make it again") from None


def read_jsonl(path: Path) -> list[Any]:
    """Read a file of JSON Lines that another stage wrote.

    Raises:
        UserError: the file cannot be read, or a line is not a JSON object.
    """
    records = []
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                record = json.loads(line)
                if not isinstance(record, dict):
                    raise ValueError("not an object")
                records.append(record)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        where = f"damaged in line {len(records) + 1} ({error})"
        raise UserError(f"{path}: {where}; mend that line, or make the file again") from None
    return records


def fingerprint(values: Any = None, files: Iterable[Path] = ()) -> str:
    """Return the SHA-256, in hex, of plain values and of files' names and contents, in order."""
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode())
    for path in files:
        digest.update(b"\0" + path.name.encode() + b"\0")
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


# Errors that the user can solve: by freeing space, changing permissions or another folder.
_USER_ERRNOS = {
    errno.EACCES,
    errno.EEXIST,
    errno.EPERM,
    errno.EROFS,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.ENOTDIR,
    errno.EISDIR,
}


@contextmanager
def _write_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _USER_ERRNOS:
            raise
        raise UserError(
            f"{path}: cannot be written ({error.strerror}); free space or choose another folder"
        ) from error
