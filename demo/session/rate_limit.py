"""Who may come into a room on the internet, and how much a visitor may have a model write."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from nothing_gpt.errors import UserError

LOGIN = "NOTHING_GPT_ROOM_LOGIN"
"""Environment variable with the name and the password; an argument would show in `ps`."""

_FORGET = 10_000
"""Visitors that a meter remembers before it forgets those who have their full allowance back."""


@dataclass(frozen=True, slots=True)
class RateLimits:
    """What a room allows; 0 means no limit.

    Attributes:
        queue: Events that may wait, when as many run as can; one more is refused.
        tokens_per_request: Most tokens of one request.
        tokens_per_minute: Tokens that one visitor may have written each minute.
    """

    queue: int = 200
    tokens_per_request: int = 0
    tokens_per_minute: int = 0

    def __post_init__(self) -> None:
        for name in ("queue", "tokens_per_request", "tokens_per_minute"):
            if getattr(self, name) < 0:
                raise UserError(f"{name.replace('_', '-')} must not be negative")

    def cap(self, tokens: int) -> int:
        """Tokens that a request may ask for, which wanted so many."""
        given = [limit for limit in (self.tokens_per_request, self.tokens_per_minute) if limit]
        return min([tokens, *given])


@dataclass
class _Allowance:
    tokens: float
    at: float


@dataclass
class RateLimiter:
    """Counts what visitors had written: an allowance each, which fills up again with time.

    Times are seconds of one monotonic clock.
    """

    limits: RateLimits
    _allowances: dict[str, _Allowance] = field(default_factory=dict)

    def reserve(self, visitor: str, tokens: int, now: float) -> None:
        """Set tokens aside for a request.

        Raises:
            UserError: the visitor has not so many left; the message says how long to wait.
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
        """Give back what a request set aside and did not use."""
        if self.limits.tokens_per_minute and used < reserved:
            allowance = self._refill(visitor, now)
            most = float(self.limits.tokens_per_minute)
            allowance.tokens = min(most, allowance.tokens + reserved - used)

    def _refill(self, visitor: str, now: float) -> _Allowance:
        most = float(self.limits.tokens_per_minute)
        if len(self._allowances) >= _FORGET:
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


def read_login(environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Read the name and password that the room asks for; None where it asks for none.

    Raises:
        UserError: the variable does not hold both.
    """
    text = environment.get(LOGIN, "")
    if not text:
        return None
    name, colon, password = text.partition(":")
    if not (name and colon and password):
        raise UserError(f"{LOGIN} must hold a name and a password, as in NAME:PASSWORD")
    return name, password
