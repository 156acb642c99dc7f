"""Screenplays in PDF, read by the places of their lines on the page.

A PDF has no elements, only words at places. The reader takes a screenplay in the usual layout of
one column: speeches are indented, and the names above them further, in capitals.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from data_prep.sources.texts.transcript import is_transcript, parse_transcript
from nothing_gpt.errors import UserError
from nothing_gpt.line import collapse
from script_formats.cues import looks_like_name, read_cue_name
from script_formats.fountain_elements import is_heading, is_transition
from script_formats.screenplay import (
    Action,
    Cue,
    Dialogue,
    Element,
    Heading,
    Mark,
    NearMiss,
    Parenthetical,
    Screenplay,
    Transition,
)

_MAX_PAGES = 5_000
_MAX_PIECES = 3_000  # of text on a page; to take one out takes time in proportion to the page

# In points, 72 an inch. Dialogue is usually indented by an inch from the action, a cue by 2.2.
_SPEECH_INDENT = 30
_CUE_INDENT = 80
_SAME_LINE = 3

_SAME_EDGE = 12

_NUMBER = re.compile(r"[A-Z]?\d{1,4}[A-Z]?\.?")
_CONTINUED = re.compile(r"\(?(?:MORE|CONTINUED)\)?:?(?: ?\(\d{1,4}\))?")


@dataclass(frozen=True, slots=True)
class _PageLine:
    """A line of a page: its left edge in points, and its number in the document."""

    left: float
    text: str
    number: int


def parse_pdf(data: bytes) -> Screenplay:
    """Parse a PDF; one without indented speeches is read as a transcript.

    An element's line is the number of the line in the whole document.

    Raises:
        UserError: it is damaged, encrypted, too long, or has no text, as a scan has none.
    """
    lines = _read_lines(data)
    if not lines:
        raise UserError("no text in this PDF; if it is a scan, run text recognition (OCR) on it")
    layout = _Layout(lines)
    if not any(map(layout.is_cue, range(len(lines)))):
        text = "\n".join(line.text for line in lines)
        if is_transcript(text):
            return parse_transcript(text)
    return Screenplay(tuple(_read_elements(layout)), near_misses=tuple(_find_near_misses(layout)))


def _read_lines(data: bytes) -> list[_PageLine]:
    import pypdfium2

    lines: list[_PageLine] = []
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise UserError(
            f"this PDF cannot be read ({error}); is it damaged or encrypted?"
        ) from None
    try:
        if len(document) > _MAX_PAGES:
            raise UserError(f"this PDF has more than {_MAX_PAGES:,} pages; split it")
        for number in range(len(document)):
            page = document[number]
            text_page = page.get_textpage()
            for left, text in _join_pieces(_read_pieces(text_page)):
                lines.append(_PageLine(left, text, len(lines) + 1))
            text_page.close()
            page.close()
    except pypdfium2.PdfiumError as error:
        raise UserError(f"this PDF cannot be read ({error}); is it damaged?") from None
    finally:
        document.close()
    return lines


def _read_pieces(text_page: Any) -> Iterator[tuple[float, float, str]]:
    """Yield the pieces of text of a page: the height of the base line, the left edge, the text."""
    count = text_page.count_rects()
    if count > _MAX_PIECES:
        raise UserError(f"a page of this PDF has more than {_MAX_PIECES:,} pieces of text")
    for index in range(count):
        left, bottom, right, top = text_page.get_rect(index)
        text = text_page.get_text_bounded(left, bottom, right, top)
        if words := collapse(text):
            yield (bottom + top) / 2, left, words


def _join_pieces(pieces: Iterator[tuple[float, float, str]]) -> Iterator[tuple[float, str]]:
    """Join the pieces of one line, from the top of the page to its bottom."""
    line: list[tuple[float, str]] = []
    height = 0.0
    for middle, left, text in sorted(pieces, key=lambda piece: (-piece[0], piece[1])):
        if line and height - middle > _SAME_LINE:
            yield _join_line(line)
            line = []
        if not line:
            height = middle
        line.append((left, text))
    if line:
        yield _join_line(line)


def _join_line(pieces: list[tuple[float, str]]) -> tuple[float, str]:
    """Join pieces; a scene's number in the margins is no part of its heading."""
    ordered = sorted(pieces)
    if len(ordered) > 1 and any(is_heading(text) for _, text in ordered):
        ordered = [(left, text) for left, text in ordered if not _NUMBER.fullmatch(text)]
    return ordered[0][0], " ".join(text for _, text in ordered)


class _Layout:
    """The lines of a document with their indents."""

    def __init__(self, lines: Sequence[_PageLine]) -> None:
        self.lines = lines
        edges = Counter(round(line.left / 6) * 6 for line in lines if is_heading(line.text))
        if edges:
            self._margin = edges.most_common(1)[0][0]
        else:
            edges = Counter(round(line.left / 6) * 6 for line in lines)
            self._margin = min(edge for edge, n in edges.items() if n >= len(lines) / 20)

    def measure_indent(self, place: int) -> float:
        return self.lines[place].left - self._margin

    def is_furniture(self, place: int) -> bool:
        """Return whether a line is a page number or a mark of a continued speech or scene."""
        text = self.lines[place].text
        if _NUMBER.fullmatch(text):
            return not _SPEECH_INDENT <= self.measure_indent(place) < _CUE_INDENT
        return _CONTINUED.fullmatch(text) is not None

    def is_name(self, place: int) -> bool:
        text = self.lines[place].text
        return (
            self.measure_indent(place) >= _CUE_INDENT
            and looks_like_name(read_cue_name(text))
            and not (is_transition(text) or is_heading(text) or self.is_furniture(place))
        )

    def is_spoken(self, place: int) -> bool:
        """Return whether a line below a cue belongs to its speech."""
        indented = self.measure_indent(place) >= _SPEECH_INDENT
        return indented and not (self.is_name(place) or is_transition(self.lines[place].text))

    def is_cue(self, place: int) -> bool:
        """Return whether a line is a name above an indented line that begins left of it."""
        following = place + 1
        while following < len(self.lines) and self.is_furniture(following):
            following += 1
        return (
            following < len(self.lines)
            and self.is_name(place)
            and self.measure_indent(following) >= _SPEECH_INDENT
            and self.lines[following].left < self.lines[place].left - _SAME_EDGE
        )


def _read_elements(layout: _Layout) -> Iterator[Element]:
    in_speech = False
    waiting: list[_PageLine] = []  # lines of one part of a speech
    for place, line in enumerate(layout.lines):
        if layout.is_furniture(place):
            yield from _join_part(waiting)
            waiting = []
            yield Mark(line.text, line=line.number)
        elif layout.is_cue(place):
            yield from _join_part(waiting)
            waiting, in_speech = [], True
            yield Cue(read_cue_name(line.text), line=line.number)
        elif in_speech and layout.is_spoken(place):
            if waiting and (line.text[0] == "(" or _is_aside(waiting)):
                yield from _join_part(waiting)
                waiting = []
            waiting.append(line)
        else:
            yield from _join_part(waiting)
            waiting, in_speech = [], False
            yield _read_line(line)
    yield from _join_part(waiting)


def _is_aside(lines: Sequence[_PageLine]) -> bool:
    return lines[0].text[0] == "(" and lines[-1].text[-1] == ")"


def _join_part(lines: Sequence[_PageLine]) -> Iterator[Element]:
    if not lines:
        return
    text = " ".join(line.text for line in lines)
    if _is_aside(lines):
        yield Parenthetical(text[1:-1].strip(), line=lines[0].number, lines=len(lines))
    else:
        yield Dialogue(text, line=lines[0].number, lines=len(lines))


def _read_line(line: _PageLine) -> Element:
    if is_heading(line.text):
        return Heading(line.text, line=line.number)
    if is_transition(line.text):
        return Transition(line.text, line=line.number)
    return Action(line.text, line=line.number)


def _find_near_misses(layout: _Layout) -> Iterator[NearMiss]:
    places = range(len(layout.lines))
    started = False
    for place in places:
        line = layout.lines[place]
        started = started or is_heading(line.text) or layout.is_cue(place)
        if started and layout.is_name(place) and not layout.is_cue(place):
            yield NearMiss(line.number, line.text, "a cue without words below it")
