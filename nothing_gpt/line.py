"""The script line, `[CHARACTER] dialogue`: its parser, its renderer and a streaming parser."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import overload

MAX_NAME = 25
"""Maximum of characters in a name; longer names in scripts are stage directions."""

# Upper-case letters of any script, then also digits and the punctuation of names in real casts:
# UNCLE LEO, MR. PITT, MAN #1, O'BRIEN, JEAN-PAUL. `is_name` rejects lower case.
_NAME = rf"[^\W\d_](?:[^\W\d_]|[0-9 .'\-#]){{0,{MAX_NAME - 1}}}"
_NAME_PATTERN = re.compile(_NAME)
_LINE_PATTERN = re.compile(rf"\[({_NAME})\](.*)")
# The line breaks of str.splitlines(), but for the pair \r\n, which here only adds an empty line.
_BREAK_PATTERN = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")

# What `to_name` changes: marks that names have in scripts, but not between the brackets of a line.
_NAME_MARKS = str.maketrans(
    {
        **dict.fromkeys('"“”„‟«»', ""),
        **dict.fromkeys("‘’‛ʼ`´", "'"),
        **dict.fromkeys("‐‑‒–—−", "-"),
        "№": "#",
    }
)
_QUOTED = re.compile('["“„«][^"“”„«»]*["”“»]')


@dataclass(frozen=True, slots=True)
class Line:
    """One speech: a speaker and a text.

    Raises:
        ValueError: the speaker is not a name, or the text is empty or not collapsed.
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
    """A non-blank text line that is not a script line, with its white space collapsed."""

    text: str


def collapse(text: str) -> str:
    """Put text on one line: replace each run of white space by one space, and strip the ends."""
    # Most text is so already: of all white space, only plain spaces are printable.
    if text.isprintable() and "  " not in text and text == text.strip(" "):
        return text
    return " ".join(text.split())


@lru_cache(maxsize=10_000)
def is_name(text: str) -> bool:
    """Return whether text is valid between the brackets: an upper-case name, collapsed."""
    return (
        _NAME_PATTERN.fullmatch(text) is not None
        and text == collapse(text)
        and text == text.upper()
    )


def to_name(text: str) -> str:
    """Return a name from a script as it is between the brackets; `is_name` may still refuse it.

    It is in upper case and in Unicode's form NFC, with straight apostrophes and plain hyphens,
    and without quotation marks inside, invisible characters, emphasis around it and a colon at
    its end. Quotation marks around all of it stay: it is somebody who is called so by others.
    """
    name = text if text.isascii() else unicodedata.normalize("NFC", text)
    if not name.isascii():
        name = "".join(c for c in name if unicodedata.category(c) != "Cf")
    name = collapse(name.upper()).rstrip(" :")
    for mark in ("**", "*", "_"):
        if name.startswith(mark) and name.endswith(mark):
            name = name.removeprefix(mark).removesuffix(mark).strip()
    if not _QUOTED.fullmatch(name):
        name = collapse(name.translate(_NAME_MARKS))
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def parse_line(text: str) -> Line | MalformedLine | None:
    """Parse one text line; return None for a blank one."""
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
    """Parse a whole text; only blank lines are dropped."""
    return [line for part in text.splitlines() if (line := parse_line(part)) is not None]


def render_line(line: Line) -> str:
    """Render a line as in training examples; `parse_line` is the inverse."""
    return f"[{line.speaker}] {line.text}"


def render_lines(lines: Iterable[Line]) -> str:
    """Render lines, one a text line, without a line break at the end."""
    return lines.text if isinstance(lines, RenderedLines) else "\n".join(map(render_line, lines))


class RenderedLines(Sequence[Line]):
    """Lines that are rendered once: the text of a part of them is a slice of the whole text."""

    __slots__ = ("_lines", "_span", "_starts", "_text")

    def __init__(self, lines: Sequence[Line]) -> None:
        rendered = list(map(render_line, lines))
        self._lines, self._text = lines, "\n".join(rendered)
        self._starts = [0, *accumulate(len(text) + 1 for text in rendered)]
        self._span = range(len(lines))

    @property
    def text(self) -> str:
        """The lines, rendered."""
        first, end = self._span.start, self._span.stop
        return self._text[self._starts[first] : max(self._starts[end] - 1, 0)]

    def part(self, start: int, stop: int | None = None) -> "RenderedLines":
        """Return consecutive lines of these."""
        part = RenderedLines.__new__(RenderedLines)
        part._lines, part._text, part._starts = self._lines, self._text, self._starts
        part._span = self._span[start:stop]
        return part

    def __len__(self) -> int:
        return len(self._span)

    @overload
    def __getitem__(self, index: int) -> Line: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Line]: ...
    def __getitem__(self, index: int | slice) -> Line | Sequence[Line]:
        if isinstance(index, slice):
            return [self._lines[place] for place in self._span[index]]
        return self._lines[self._span[index]]


class LineStream:
    """A parser of text that arrives in chunks, such as the tokens of a model.

    The results of all `feed` calls and of `close` together equal `parse_lines` of the whole text,
    wherever the text is split into chunks.
    """

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, chunk: str) -> list[Line | MalformedLine]:
        """Add the next chunk and return the lines that it completes."""
        *complete, self._rest = _BREAK_PATTERN.split(self._rest + chunk)
        return [line for part in complete if (line := parse_line(part)) is not None]

    @property
    def pending(self) -> Line | MalformedLine | None:
        """The unfinished line as far as it has arrived."""
        return parse_line(self._rest)

    def close(self) -> list[Line | MalformedLine]:
        """Return the unfinished last line, and reset the parser."""
        line, self._rest = self.pending, ""
        return [] if line is None else [line]
