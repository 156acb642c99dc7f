"""The keys that open a server: read again when their file changes, and what each has used."""

import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from nothing_gpt.errors import UserError
from serve.logs import log_event, logger
from serve.middleware.keys.api_keys import (
    KEY_FILE_VARIABLE,
    ApiKey,
    KeyUsage,
    check_distinct,
    find_key,
    read_key_file,
    read_keys,
)
from serve.middleware.refusal import RefusedError

_CHECK_INTERVAL = 1.0  # seconds between two looks at the file

_Stamp = tuple[int, int, int] | None


def _today() -> date:
    return datetime.now(UTC).date()


class KeyRegistry:
    """The keys with their usage.

    A key that is added to the file opens the server within a second, and one that is taken away
    no longer does. A file that cannot be read changes nothing.

    Attributes:
        is_open: Whether everybody may ask; this does not change while the server runs.
        usages: One for each key.

    Raises:
        UserError: the keys cannot be read at the start.
    """

    def __init__(
        self,
        environment: Mapping[str, str] = os.environ,
        *,
        clock: Callable[[], float] = time.monotonic,
        today: Callable[[], date] = _today,
    ) -> None:
        path = environment.get(KEY_FILE_VARIABLE)
        self._path, self._clock, self._today = path and Path(path), clock, today
        self._stamp, self._checked_at = self._read_stamp(), clock()
        keys = read_keys(environment)
        in_file = len(read_key_file(self._path)) if self._path else 0
        self._fixed = keys[: len(keys) - in_file]
        self.is_open = not keys
        self.usages = [KeyUsage(key) for key in keys]
        self._day, self._at_day_start = today(), self._count()

    def find(self, authorization: bytes) -> KeyUsage | None:
        """Find the key of an Authorization header."""
        self._refresh()
        return find_key(self.usages, authorization)

    def _read_stamp(self) -> _Stamp:
        try:
            found = self._path.stat() if self._path else None
        except OSError:
            return None
        return found and (found.st_mtime_ns, found.st_size, found.st_ino)

    def _refresh(self) -> None:
        now = self._clock()
        if not self._path or now - self._checked_at < _CHECK_INTERVAL:
            return
        self._checked_at = now
        stamp = self._read_stamp()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            keys = [*self._fixed, *read_key_file(self._path)]
            check_distinct(keys)
        except UserError as error:
            logger.error("the keys stay as they were: %s", error)
            return
        self._replace(keys)
        log_event("keys read again", keys=[key.name for key in keys])

    def _replace(self, keys: list[ApiKey]) -> None:
        known = {usage.key: usage for usage in self.usages}
        self.usages = [known.get(key) or KeyUsage(key) for key in keys]

    def render_metrics(self) -> bytes:
        """Render the usage of each key in Prometheus' text format."""
        lines = []
        for number, name in enumerate(("requests", "tokens")):
            metric = f"nothing_gpt:key_{name}_total"
            text = f"# HELP {metric} {name.title()} of each API key."
            lines += [text, f"# TYPE {metric} counter"]
            lines += [
                f'{metric}{{key="{_escape(key)}"}} {counts[number]}'
                for key, counts in self._count().items()
            ]
        return "".join(f"{line}\n" for line in lines).encode()

    def _count(self) -> dict[str, tuple[int, int]]:
        return {usage.key.name: (usage.requests, usage.tokens) for usage in self.usages}

    def log_day(self, *, ends: bool = False) -> None:
        """Log the usage of each key since the day began, if the day or the server ends."""
        today = self._today()
        if today == self._day and not ends:
            return
        used = {}
        for name, counts in self._count().items():
            before = self._at_day_start.get(name, (0, 0))
            requests, tokens = (now - then for now, then in zip(counts, before, strict=True))
            if requests or tokens:
                used[name] = {"requests": requests, "tokens": tokens}
        if used:
            log_event("daily usage", day=str(self._day), keys=used)
        self._day, self._at_day_start = today, self._count()


def check_limits(usage: KeyUsage | None) -> None:
    """Count a request of a key; raise `RefusedError` if it is over the key's limits."""
    if seconds := usage.start_request() if usage else 0:
        text = f"this key's limit for a minute is used up; try again in {seconds:.0f} s"
        kind, code = "rate_limit_error", "rate_limit_exceeded"
        raise RefusedError(429, text, kind, code=code, retry_after=str(int(seconds) + 1))


def _escape(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
