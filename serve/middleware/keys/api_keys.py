"""API keys with names and limits.

NOTHING_GPT_API_KEY has plain keys, separated by commas. NOTHING_GPT_KEYS is the path of a TOML
file with a table for each key:

    [ana]
    key = "..."                   # or sha256 = "...", as `python -m serve keys add` writes it
    requests_per_minute = 60      # all limits are optional
    tokens_per_minute = 20000     # generated tokens; prompts do not count
    requests_at_once = 8          # by default half of the server's places, if there are more keys
"""

import hashlib
import hmac
import os
import re
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from nothing_gpt.errors import UserError

KEYS_VARIABLE = "NOTHING_GPT_API_KEY"
KEY_FILE_VARIABLE = "NOTHING_GPT_KEYS"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key. Its `repr` and the logs show the name, never the key itself."""

    name: str
    key: str | None = None
    sha256: str | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    requests_at_once: int | None = None

    @property
    def digest(self) -> bytes:
        """SHA-256 of the key."""
        if self.sha256 is not None:
            return bytes.fromhex(self.sha256)
        return hashlib.sha256((self.key or "").encode()).digest()

    def __repr__(self) -> str:
        return f"ApiKey({self.name!r})"


def read_keys(environment: Mapping[str, str] = os.environ) -> list[ApiKey]:
    """Read the keys. Only if neither variable is set, the server is open to everybody.

    Raises:
        UserError: a variable or its file is set and has no key, the file is missing or malformed,
            or a key is defined twice.
    """
    keys: list[ApiKey] = []
    if (plain := environment.get(KEYS_VARIABLE)) is not None:
        secrets = [key.strip() for key in plain.split(",") if key.strip()]
        if not secrets:
            raise UserError(
                f"{KEYS_VARIABLE} is set, but has no key; write keys separated by commas, or "
                "unset it for a server that is open to everybody"
            )
        keys += [ApiKey(f"key {number}", key) for number, key in enumerate(secrets, 1)]
    if (path := environment.get(KEY_FILE_VARIABLE)) is not None:
        in_file = read_key_file(Path(path))
        if not in_file:
            raise UserError(
                f"{path}: no key stands there; add one with 'python -m serve keys add NAME', or "
                f"unset {KEY_FILE_VARIABLE}"
            )
        keys += in_file
    check_distinct(keys)
    return keys


def check_distinct(keys: Sequence[ApiKey]) -> None:
    """Raise `UserError` if two keys are the same."""
    if len({key.digest for key in keys}) < len(keys):
        raise UserError(
            f"{KEYS_VARIABLE} and {KEY_FILE_VARIABLE}: the same key stands there twice; "
            "take one away"
        )


def read_key_file(path: Path) -> list[ApiKey]:
    """Read the keys in a file, of which there can be none.

    Raises:
        UserError: the file is missing or malformed.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; {KEY_FILE_VARIABLE} names it") from None
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
    secrets: dict[str, Any] = {k: v for k, v in table.items() if k in ("key", "sha256")}
    limits = {k: v for k, v in table.items() if k not in secrets}
    secret = next(iter(secrets.values()), None)
    if len(secrets) != 1 or not isinstance(secret, str) or not secret.strip():
        raise UserError(f"{path}: [{name}] needs key = a text")
    if "sha256" in secrets and not re.fullmatch("[0-9a-f]{64}", secret):
        raise UserError(f"{path}: [{name}] sha256 must be 64 digits of 0-9 and a-f")
    for limit, value in limits.items():
        if type(value) is not int or value < 1:
            raise UserError(f"{path}: [{name}] {limit} must be a whole number of at least 1")
    return ApiKey(name, **limits, **{k: v.strip() for k, v in secrets.items()})


class _Bucket:
    """A token bucket: it starts full, and refills evenly within a minute.

    Args:
        size: The limit for a minute; None for no limit.
    """

    def __init__(self, size: int | None, clock: Callable[[], float]) -> None:
        self._size, self._clock = size or 0, clock
        self._level, self._updated_at = float(self._size), clock()

    def seconds_until(self, amount: float) -> float:
        """Return in how many seconds an amount is available; 0 if it is now."""
        if not self._size:
            return 0.0
        now = self._clock()
        refilled = self._level + (now - self._updated_at) * self._size / 60
        self._level, self._updated_at = min(refilled, self._size), now
        return max(amount - self._level, 0.0) * 60 / self._size

    def remove(self, amount: float) -> None:
        """Remove an amount; the level can become negative."""
        self._level -= amount


class KeyUsage:
    """What a key has used of its limits.

    Attributes:
        key: The key with its limits.
        active_requests: Its completions that are not finished yet.
        requests: Completions so far.
        tokens: Generated tokens so far.
    """

    def __init__(self, key: ApiKey, clock: Callable[[], float] = time.monotonic) -> None:
        self.key, self.digest = key, key.digest
        self.active_requests = self.requests = self.tokens = 0
        self._requests = _Bucket(key.requests_per_minute, clock)
        self._tokens = _Bucket(key.tokens_per_minute, clock)

    def start_request(self) -> float:
        """Count a request, if the limits allow it.

        Tokens are charged when they have been generated. So a request can exceed the limit, and
        the next one has to wait until the excess is refilled.

        Returns:
            0 if the request was counted; otherwise the seconds to wait before the next try.
        """
        seconds = max(self._requests.seconds_until(1), self._tokens.seconds_until(1))
        if not seconds:
            self._requests.remove(1)
        return seconds

    def charge(self, tokens: int) -> None:
        """Count generated tokens."""
        self.tokens += tokens
        self._tokens.remove(tokens)


def find_key(usages: Sequence[KeyUsage], authorization: bytes) -> KeyUsage | None:
    """Find the key of an Authorization header.

    Every key is compared, by digests of equal length, so that timing reveals nothing about them.
    """
    scheme, _, given = authorization.partition(b" ")
    digest = hashlib.sha256(given.strip()).digest()
    found = None
    for usage in usages:
        if hmac.compare_digest(digest, usage.digest):
            found = usage
    return found if scheme.lower() == b"bearer" else None
