"""The stream of a model's answer: chunks of text, the lines in them, and the writing speed."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from nothing_gpt.line import Line, LineStream, MalformedLine
from nothing_gpt.prompt.token_estimate import estimate_tokens

Ending = Literal["enough", "finished", "cut", "loop"]
"""Why a continuation ended: it has all lines, the model ended the scene, the token limit was
reached, or the model repeated itself."""

LockState = Literal["server", "filter", "off"]
"""What keeps the speakers to the cast: the server while it generates, a filter here that leaves
out the lines of others, or nothing."""

LineFilter = Callable[[Line, int], bool]
"""Whether to keep a line, given the number of lines before it in the continuation."""


@dataclass(frozen=True, slots=True)
class StreamChunk:
    """A chunk of a model's text.

    Attributes:
        reason: The finish reason, in the last chunk.
        tokens: All tokens so far, if the server reports them.
    """

    text: str = ""
    reason: str | None = None
    tokens: int | None = None


def read_chunk(event: object) -> StreamChunk:
    """Read the JSON of an event of a streamed chat completion.

    Raises:
        ValueError: the event does not follow the protocol.
    """
    if not isinstance(event, dict) or not isinstance(event.get("choices") or [], list):
        raise ValueError(f"a chunk is {event!r}"[:80])
    text, reason = "", None
    for choice in event.get("choices") or ():
        if not isinstance(choice, dict):
            raise ValueError(f"a choice is {choice!r}"[:80])
        delta = choice.get("delta") or {}
        content = delta.get("content") if isinstance(delta, dict) else delta
        if not isinstance(content, str | None):
            raise ValueError(f"a piece of text is {content!r}"[:80])
        text += content or ""
        reason = reason or choice.get("finish_reason")
    usage = event.get("usage")
    tokens = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return StreamChunk(text, reason, tokens if isinstance(tokens, int) else None)


@dataclass(frozen=True, slots=True)
class Speed:
    """The timing of one continuation, in seconds.

    Attributes:
        first_line: From the request to the end of the first line; None before that.
        tokens: Reported by the server, or estimated from the text.
        writing: From the first token to the last.
        estimated: Whether the number of tokens is an estimate.
    """

    first_line: float | None = None
    tokens: int = 0
    writing: float = 0.0
    estimated: bool = True

    @property
    def rate(self) -> float | None:
        """Tokens a second; None with fewer than two tokens."""
        return (self.tokens - 1) / self.writing if self.tokens > 1 and self.writing > 0 else None

    def then(self, other: "Speed") -> "Speed":
        """Add the speed of the request that followed this one."""
        first = self.first_line if self.first_line is not None else other.first_line
        return Speed(
            first,
            self.tokens + other.tokens,
            self.writing + other.writing,
            self.estimated or other.estimated,
        )


class SpeedMeter:
    """Measures one request. All times are seconds of the same monotonic clock."""

    def __init__(self, started: float) -> None:
        self.speed = Speed()
        self._started = started
        self._first_text: float | None = None

    def add_chunk(self, now: float, chunk: StreamChunk) -> None:
        """Count the tokens of a chunk."""
        if chunk.tokens is not None:
            self.speed = replace(self.speed, tokens=chunk.tokens, estimated=False)
        elif chunk.text and self.speed.estimated:
            tokens = self.speed.tokens + estimate_tokens(chunk.text)
            self.speed = replace(self.speed, tokens=tokens)
        if chunk.text:
            self._first_text = now if self._first_text is None else self._first_text
            self.speed = replace(self.speed, writing=now - self._first_text)

    def add_line(self, now: float) -> None:
        """Record that a line is complete."""
        if self.speed.first_line is None:
            self.speed = replace(self.speed, first_line=now - self._started)


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a continuation after a chunk.

    Attributes:
        lines: Lines that the chunk completed.
        growing: The unfinished line after it.
        malformed: Text lines so far that were not script lines.
        filtered: Lines so far that the filter left out.
    """

    lines: tuple[Line, ...] = ()
    growing: Line | None = None
    malformed: int = 0
    ending: Ending | None = None
    filtered: int = 0
    speed: Speed = field(default_factory=Speed)
    lock: LockState = "off"


class ProgressReader:
    """Turns the chunks of one answer into progress, up to the wanted number of lines.

    Args:
        started: When the request was sent, in seconds of a monotonic clock.
    """

    def __init__(self, wanted: int, admit: LineFilter | None, started: float) -> None:
        self._wanted = wanted
        self._admit = admit
        self._stream = LineStream()
        self._meter = SpeedMeter(started)
        self._count = self._malformed = self._filtered = 0

    def read(self, chunk: StreamChunk, now: float) -> Progress:
        """Read the next chunk."""
        self._meter.add_chunk(now, chunk)
        lines = self._read_lines(chunk)
        if lines:
            self._meter.add_line(now)
        ending: Ending | None = None
        if self._count == self._wanted:
            ending = "enough"
        elif chunk.reason:
            ending = "cut" if chunk.reason == "length" else "finished"
        growing = self._stream.pending if ending is None else None
        if not isinstance(growing, Line) or not self._admits(growing):
            growing = None
        return Progress(
            tuple(lines), growing, self._malformed, ending, self._filtered, self._meter.speed
        )

    def _read_lines(self, chunk: StreamChunk) -> list[Line]:
        parts = self._stream.feed(chunk.text)
        if chunk.reason and chunk.reason != "length":  # the token limit cuts a line off
            parts += self._stream.close()
        lines = []
        for part in parts:
            if isinstance(part, MalformedLine):
                self._malformed += 1
            elif self._count < self._wanted and self._admits(part):
                lines.append(part)
                self._count += 1
            elif self._count < self._wanted:
                self._filtered += 1
        return lines

    def _admits(self, line: Line) -> bool:
        return self._admit is None or self._admit(line, self._count)
