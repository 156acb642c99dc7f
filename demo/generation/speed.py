"""How fast a model writes: the wait for its first line, and tokens a second."""

from dataclasses import dataclass, replace

from demo.generation.stream import StreamChunk
from nothing_gpt.prompt.token_estimate import estimate_tokens


@dataclass(frozen=True, slots=True)
class Speed:
    """What one continuation took, all in seconds.

    Attributes:
        first_line: From asking until the first line was whole; None while there is none.
        tokens: As many as the server told, else as many as its text must have had.
        writing: From the first token to the last.
        counted: Whether the tokens are counted here, not told by the server.
    """

    first_line: float | None = None
    tokens: int = 0
    writing: float = 0.0
    counted: bool = True

    @property
    def rate(self) -> float | None:
        """Tokens a second, once there are two tokens to measure between."""
        return (self.tokens - 1) / self.writing if self.tokens > 1 and self.writing > 0 else None

    def then(self, other: "Speed") -> "Speed":
        """The speed of this and a request that went on from it."""
        first = self.first_line if self.first_line is not None else other.first_line
        return Speed(
            first,
            self.tokens + other.tokens,
            self.writing + other.writing,
            self.counted or other.counted,
        )


class SpeedMeter:
    """Measures one request; times are seconds of one monotonic clock."""

    def __init__(self, asked: float) -> None:
        self.speed = Speed()
        self._asked = asked
        self._first: float | None = None

    def tick(self, now: float, piece: StreamChunk) -> None:
        """Note a piece of text."""
        if piece.tokens is not None:
            self.speed = replace(self.speed, tokens=piece.tokens, counted=False)
        elif piece.text and self.speed.counted:
            tokens = self.speed.tokens + estimate_tokens(piece.text)
            self.speed = replace(self.speed, tokens=tokens)
        if piece.text:
            self._first = now if self._first is None else self._first
            self.speed = replace(self.speed, writing=now - self._first)

    def line(self, now: float) -> None:
        """Note that a line is whole."""
        if self.speed.first_line is None:
            self.speed = replace(self.speed, first_line=now - self._asked)


def describe_speed(speed: Speed) -> str:
    """Say it in a few words; nothing where there is nothing to say yet."""
    parts = []
    if speed.first_line is not None:
        parts.append(f"first line after {speed.first_line:.1f} s")
    if speed.rate is not None:
        parts.append(f"{'about ' if speed.counted else ''}{speed.rate:.0f} tokens/s")
    return ", ".join(parts)
