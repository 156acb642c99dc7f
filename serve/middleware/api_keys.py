"""Who may use a server, and how much: API keys with names and limits.

NOTHING_GPT_API_KEY holds plain keys, separated by commas. NOTHING_GPT_KEYS names a TOML file with
a table for each key:

    [ana]
    key = "..."
    requests_per_minute = 60      # both limits may be left out
    tokens_per_minute = 20000     # tokens that are written, not those that are read
"""

import hashlib
import hmac
import os
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from nothing_gpt.errors import UserError

KEY = "NOTHING_GPT_API_KEY"
FILE = "NOTHING_GPT_KEYS"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key. Its name is what logs show; the key itself is shown nowhere."""

    name: str
    key: str
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None

    def __repr__(self) -> str:
        return f"Key({self.name!r})"


def read_keys(environment: Mapping[str, str] = os.environ) -> list[ApiKey]:
    """Read the keys that open the server; none at all means that it is open.

    Raises:
        UserError: the file is not there, or is not what this module's docstring shows.
    """
    plain = [key.strip() for key in environment.get(KEY, "").split(",") if key.strip()]
    keys = [ApiKey(f"key {number}", key) for number, key in enumerate(plain, 1)]
    if environment.get(FILE):
        keys += _read_file(Path(environment[FILE]))
    if len({key.key for key in keys}) < len(keys):
        raise UserError(f"{KEY} and {FILE}: the same key stands there twice; take one away")
    return keys


def _read_file(path: Path) -> list[ApiKey]:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; {FILE} names it") from None
    except ValueError as error:
        raise UserError(f"{path}: {error}") from None
    return [_make_key(path, name, table) for name, table in tables.items()]


def _make_key(path: Path, name: str, table: Any) -> ApiKey:
    allowed = [field.name for field in fields(ApiKey) if field.name != "name"]
    if not isinstance(table, dict):
        raise UserError(f"{path}: '{name}' must be a table: [{name}], and below it key = ...")
    if unknown := set(table) - set(allowed):
        raise UserError(
            f"{path}: [{name}] has no {', '.join(sorted(unknown))}; there are {', '.join(allowed)}"
        )
    secret, limits = table.get("key"), {k: v for k, v in table.items() if k != "key"}
    if not isinstance(secret, str) or not secret.strip():
        raise UserError(f"{path}: [{name}] needs key = a text")
    for limit, value in limits.items():
        if type(value) is not int or value < 1:
            raise UserError(f"{path}: [{name}] {limit} must be a whole number of at least 1")
    return ApiKey(name, secret.strip(), **limits)


class _Bucket:
    """So many in a minute: full at first, and filled again evenly."""

    def __init__(self, size: int | None, clock: Callable[[], float]) -> None:
        self._size, self._clock = size or 0, clock
        self._level, self._then = float(self._size), clock()

    def wait(self, amount: float) -> float:
        """Tell in how many seconds an amount will be there; 0 if it is."""
        if not self._size:
            return 0.0
        now = self._clock()
        filled = self._level + (now - self._then) * self._size / 60
        self._level, self._then = min(filled, self._size), now
        return max(amount - self._level, 0.0) * 60 / self._size

    def take(self, amount: float) -> None:
        """Take an amount out, and if need be more than there is."""
        self._level -= amount


class KeyUsage:
    """A key in use: what it may still ask for in this minute."""

    def __init__(self, key: ApiKey, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = key.name
        self.digest = hashlib.sha256(key.key.encode()).digest()
        self._requests = _Bucket(key.requests_per_minute, clock)
        self._tokens = _Bucket(key.tokens_per_minute, clock)

    def enter(self) -> float:
        """Begin a request, or tell after how many seconds one may be begun.

        Tokens are charged when they are written, so the last request of a minute may go over the
        limit; the next one waits until the debt is paid.
        """
        seconds = max(self._requests.wait(1), self._tokens.wait(1))
        if not seconds:
            self._requests.take(1)
        return seconds

    def charge(self, tokens: int) -> None:
        """Take written tokens off the allowance."""
        self._tokens.take(tokens)


def find_key(holders: Sequence[KeyUsage], authorization: bytes) -> KeyUsage | None:
    """Find whose key an Authorization header holds.

    Every key is compared, by digests of one length, so that timing tells nothing about them.
    """
    scheme, _, given = authorization.partition(b" ")
    digest = hashlib.sha256(given.strip()).digest()
    found = None
    for holder in holders:
        if hmac.compare_digest(digest, holder.digest):
            found = holder
    return found if scheme.lower() == b"bearer" else None
