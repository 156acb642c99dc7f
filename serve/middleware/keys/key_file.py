"""Changes of the file with the keys; a running server reads it again by itself."""

import fcntl
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nothing_gpt.errors import UserError
from nothing_gpt.files import write_text
from serve.middleware.keys.api_keys import ApiKey, read_key_file


def add_key(path: Path, name: str, limits: dict[str, int]) -> str:
    """Add a key to the file, which is made if it is missing; the file gets its SHA-256 only.

    Returns:
        The key, which stands nowhere else.

    Raises:
        UserError: the name is taken or no name, or the file is malformed.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        raise UserError(f"'{name}': a key's name has letters, digits, - and _, at most 64")
    key = f"sk-{secrets.token_urlsafe(32)}"
    with _changing(path) as document:
        if name in document:
            text = f"there is a key '{name}'; revoke it first, or choose another name"
            raise UserError(f"{path}: {text}")
        document[name] = {"sha256": hashlib.sha256(key.encode()).hexdigest(), **limits}
    return key


def revoke_key(path: Path, name: str) -> None:
    """Take a key out of the file.

    Raises:
        UserError: there is no such key, or the file is malformed.
    """
    with _changing(path) as document:
        if name not in document:
            names = ", ".join(document) or "none"
            raise UserError(f"{path}: no key '{name}'; there are: {names}")
        del document[name]


def list_keys(path: Path) -> list[ApiKey]:
    """Read the keys of the file; none if it is missing.

    Raises:
        UserError: the file is malformed.
    """
    return read_key_file(path) if path.exists() else []


@contextmanager
def _changing(path: Path) -> Iterator[Any]:
    """Read the file with its comments and write it again, while no other command does."""
    import tomlkit

    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        list_keys(path)  # a server must be able to read it too
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o600
        document = tomlkit.parse(path.read_text(encoding="utf-8") if path.exists() else "")
        yield document
        write_text(path, tomlkit.dumps(document))
        path.chmod(mode)
    finally:
        os.close(folder)
