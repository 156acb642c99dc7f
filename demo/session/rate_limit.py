"""Rate limits: how many tokens a visitor can have written."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields

from nothing_gpt.errors import UserError

_MAX_VISITORS = 10_000
"""Visitors to remember. Above it those with a full allowance are forgotten."""


@dataclass(frozen=True, slots=True)
class RateLimits:
    """The limits of a room; 0 means no limit.

    Attributes:
        queue: Events that can wait while as many run as can; one more is refused.
        tokens_per_request: Most tokens of one request.
        tokens_per_minute: Tokens that one visitor can have written each minute.
        requests_at_once: Continuations that one visitor can have written at the same time; each
            take is one.

    Raises:
        UserError: a limit is negative.
    """

    queue: int = 200
    tokens_per_request: int = 0
    tokens_per_minute: int = 0
    requests_at_once: int = 0

    def __post_init__(self) -> None:
        for limit in fields(self):
            if getattr(self, limit.name) < 0:
                raise UserError(f"{limit.name.replace('_', '-')} must not be negative")

    def cap(self, tokens: int) -> int:
        """Reduce a request's tokens to what the limits allow."""
        limits = [limit for limit in (self.tokens_per_request, self.tokens_per_minute) if limit]
        return min([tokens, *limits])


SHARED_LIMITS = RateLimits(tokens_per_request=1_200, tokens_per_minute=12_000, requests_at_once=8)
"""The limits of a room that others reach, unless it has its own: a request of 30 lines, eight
takes at once, and ten such requests a minute."""


@dataclass
class Usage:
    """The tokens that a request has used."""

    tokens: int = 0


@dataclass
class _Allowance:
    tokens: float
    at: float


@dataclass
class RateLimiter:
    """Counts tokens by visitor. Each visitor has an allowance that refills with time.

    Times are seconds of one monotonic clock.
    """

    limits: RateLimits
    _allowances: dict[str, _Allowance] = field(default_factory=dict)
    _running: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def reserved(self, visitor: str, tokens: Sequence[int]) -> Iterator[Usage]:
        """Reserve the tokens of requests while the block runs.

        Those that the usage does not have are given back.

        Raises:
            UserError: the visitor has too many requests at once, or as `reserve` does.
        """
        limit = self.limits.requests_at_once
        if limit and self._running[visitor] + len(tokens) > limit:
            raise UserError(
                f"this room has at most {limit} continuations at once written for a visitor; "
                f"wait for the others, or ask for fewer takes"
            )
        self.reserve(visitor, sum(tokens), time.monotonic())
        self._running[visitor] += len(tokens)
        usage = Usage()
        try:
            yield usage
        finally:
            self._running[visitor] -= len(tokens)
            if not self._running[visitor]:
                del self._running[visitor]
            self.settle(visitor, sum(tokens), usage.tokens, time.monotonic())

    def reserve(self, visitor: str, tokens: int, now: float) -> None:
        """Take tokens from a visitor's allowance.

        Raises:
            UserError: the allowance is too small; the message says how long to wait.
        """
        if not self.limits.tokens_per_minute:
            return
        allowance = self._refill(visitor, now)
        if tokens > allowance.tokens:
            wait = (tokens - allowance.tokens) / self.limits.tokens_per_minute * 60
            raise UserError(
                f"you have had as much written as this room gives a visitor each minute; "
                f"wait {int(wait) + 1} s, or ask for fewer lines"
            )
        allowance.tokens -= tokens

    def settle(self, visitor: str, reserved: int, used: int, now: float) -> None:
        """Give back reserved tokens that were not used."""
        if self.limits.tokens_per_minute and used < reserved:
            allowance = self._refill(visitor, now)
            most = float(self.limits.tokens_per_minute)
            allowance.tokens = min(most, allowance.tokens + reserved - used)

    def _refill(self, visitor: str, now: float) -> _Allowance:
        most = float(self.limits.tokens_per_minute)
        if len(self._allowances) >= _MAX_VISITORS:
            self._allowances = {
                name: each
                for name, each in self._allowances.items()
                if each.tokens + (now - each.at) * most / 60 < most
            }
        allowance = self._allowances.setdefault(visitor, _Allowance(most, now))
        passed = max(0.0, now - allowance.at)
        allowance.tokens = min(most, allowance.tokens + passed * most / 60)
        allowance.at = now
        return allowance
