"""The pace of logins: after a wrong one the next must wait, longer each time."""

from dataclasses import dataclass, field

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 8.0
"""Seconds between two logins of a visitor. Behind one proxy all are one visitor, so the pause
stays short enough for the others: at 10,800 tries a day, even a word of a dictionary holds."""

_MAX_VISITORS = 10_000


@dataclass
class _Tries:
    wrong: int = 0
    next_at: float = 0.0


@dataclass
class LoginPace:
    """Wrong logins by visitor. Times are seconds of one monotonic clock.

    Attributes:
        wrong: All wrong logins so far.
    """

    wrong: int = 0
    _visitors: dict[str, _Tries] = field(default_factory=dict)

    def admit(self, visitor: str, now: float) -> float:
        """Return 0 if a visitor may try now, else the seconds to wait.

        A try counts as a wrong one until it is known, so that many at once gain nothing.
        """
        tries = self._visitors.setdefault(visitor, _Tries())
        if now < tries.next_at:
            return tries.next_at - now
        tries.next_at = now + min(FIRST_PAUSE * 2**tries.wrong, LONGEST_PAUSE)
        return 0.0

    def record(self, visitor: str, *, right: bool) -> None:
        """Record how a try ended."""
        if right:
            self._visitors.pop(visitor, None)
            return
        self.wrong += 1
        if len(self._visitors) > _MAX_VISITORS:
            self._visitors.pop(next(iter(self._visitors)))
        tries = self._visitors.setdefault(visitor, _Tries())
        tries.wrong = min(tries.wrong + 1, 10)  # enough for the longest pause
