"""A script line, `[CHARACTER] dialogue`: the one parser and the one renderer of it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

MAX_NAME = 25
"""Longest character name in characters; longer ones in scripts are stage business."""

# Upper-case letters of any script, then also digits and the marks that real casts use:
# UNCLE LEO, MR. PITT, MAN #1, O'BRIEN, JEAN-PAUL. Lower case is refused by `is_name`.
_NAME = rf"[^\W\d_](?:[^\W\d_]|[0-9 .'\-#]){{0,{MAX_NAME - 1}}}"
_NAME_PATTERN = re.compile(_NAME)
_LINE_PATTERN = re.compile(rf"\[({_NAME})\](.*)")
# What str.splitlines() breaks at, but for the pair \r\n, which only makes an empty line more.
_BREAK_PATTERN = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Line:
    """One speech: who says what.

    Raises:
        ValueError: the speaker is no name, or the text is empty or not collapsed.
    """

    speaker: str
    text: str

    def __post_init__(self) -> None:
        if not is_name(self.speaker):
            raise ValueError(f"not a character name: {self.speaker!r}")
        if not self.text or self.text != collapse(self.text):
            raise ValueError(f"dialogue must be non-empty and on one line: {self.text!r}")


@dataclass(frozen=True, slots=True)
class MalformedLine:
    """A non-blank text line that is no script line, with its white space collapsed."""

    text: str


def collapse(text: str) -> str:
    """Put text on one line: every run of white space becomes one space, none at the ends."""
    return " ".join(text.split())


def is_name(text: str) -> bool:
    """Whether text can stand between the brackets: an upper-case name without loose spaces."""
    return (
        _NAME_PATTERN.fullmatch(text) is not None
        and text == collapse(text)
        and text == text.upper()
    )


def parse_line(text: str) -> Line | MalformedLine | None:
    """Read one text line; None for a blank one."""
    text = collapse(text)
    if not text:
        return None
    match = _LINE_PATTERN.fullmatch(text)
    if match:
        speaker, dialogue = match[1], match[2].strip()
        if dialogue and is_name(speaker):
            return Line(speaker, dialogue)
    return MalformedLine(text)


def parse_lines(text: str) -> list[Line | MalformedLine]:
    """Read a whole text, line by line; blank lines vanish, nothing else does."""
    return [line for part in text.splitlines() if (line := parse_line(part)) is not None]


def render_line(line: Line) -> str:
    """Write a line as training showed it; `parse_line` gives it back."""
    return f"[{line.speaker}] {line.text}"


def render_lines(lines: Iterable[Line]) -> str:
    """Write lines one under the other, with no line break at the end."""
    return "\n".join(map(render_line, lines))


class LineStream:
    """Reads lines from text that arrives in pieces, such as the tokens of a model.

    However the text is cut, the results of all `feed` calls and of `close`, put together,
    equal `parse_lines` of the whole text.
    """

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, piece: str) -> list[Line | MalformedLine]:
        """Take the next piece and return the lines that it completes."""
        *whole, self._rest = _BREAK_PATTERN.split(self._rest + piece)
        return [line for part in whole if (line := parse_line(part)) is not None]

    @property
    def pending(self) -> Line | MalformedLine | None:
        """The unfinished line as it reads so far, for showing it while it grows."""
        return parse_line(self._rest)

    def close(self) -> list[Line | MalformedLine]:
        """Return what stood on the last, unfinished line, and start afresh."""
        line, self._rest = self.pending, ""
        return [] if line is None else [line]
