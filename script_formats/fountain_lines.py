"""The lines of a Fountain file, with notes and commented-out passages taken out of them.

A note `[[...]]` ends before an empty line, and a comment `/* ... */` anywhere. A mark that is not
closed before the next of its kind is text like any other, so it swallows nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nothing_gpt.line import collapse
from script_formats.screenplay import Comment, Note

# A line of two spaces continues a note, as it continues a speech.
_TOKENS = re.compile(r"/\*|\*/|\[\[|\]\]|\n[ \t]?(?=\n)")

Remark = Note | Comment


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of the file, stripped, with the remarks that were taken out of it.

    Attributes:
        continues: The line is empty but for two spaces or more, which continues a speech.
        removed: The line consisted of remarks only, so it is not an empty line either.
        indented: The line begins with a tab or three spaces.
    """

    number: int
    text: str
    remarks: tuple[Remark, ...] = ()
    continues: bool = False
    removed: bool = False
    indented: bool = False


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    is_note: bool


def split_lines(text: str) -> Iterator[SourceLine]:
    """Split a text into lines; the time is linear in its length."""
    text = "\n".join(text.splitlines())
    number = first = 1
    parts: list[str] = []
    remarks: list[tuple[_Span, int]] = []
    place = 0
    for span in [*_find_remarks(text), _Span(len(text), len(text), is_note=False)]:
        head, *others = text[place : span.start].split("\n")
        parts.append(head)
        for other in others:
            yield _build_line(text, first, parts, remarks)
            number += 1
            first, parts, remarks = number, [other], []
        if span.start < len(text):
            remarks.append((span, number))
            number += text.count("\n", span.start, span.end)
        place = span.end
    yield _build_line(text, first, parts, remarks)


def _build_line(
    text: str, first: int, parts: list[str], remarks: list[tuple[_Span, int]]
) -> SourceLine:
    joined = "".join(parts)
    words = joined.strip()
    # Lines that a remark spans are its own, but for one that the text around it has.
    spanned = 0
    for span, _ in remarks:
        inside = text[span.start : span.end].split("\n")
        spanned += sum(1 for line in inside[1:] if line.strip())
    owned = spanned if words else spanned + 1
    found = []
    for span, number in remarks:
        kind = Note if span.is_note else Comment
        content = collapse(text[span.start + 2 : span.end - 2])
        found.append(kind(content, line=number, lines=owned))
        owned = 0
    continues = not words and not remarks and len(joined) > 1
    removed, indented = bool(remarks) and not words, joined.startswith(("\t", "   "))
    return SourceLine(first, words, tuple(found), continues, removed, indented)


def _find_remarks(text: str) -> list[_Span]:
    spans: list[_Span] = []
    note = comment = -1
    for token in _TOKENS.finditer(text):
        mark = token[0]
        if mark == "[[":
            note = token.start()
        elif mark == "/*":
            comment = token.start()
        elif mark == "]]" and note >= 0:
            _add_span(spans, _Span(note, token.end(), is_note=True))
            comment = -1 if comment > note else comment
            note = -1
        elif mark == "*/" and comment >= 0:
            _add_span(spans, _Span(comment, token.end(), is_note=False))
            note = -1 if note > comment else note
            comment = -1
        elif mark[0] == "\n":
            note = -1
    return spans


def _add_span(spans: list[_Span], span: _Span) -> None:
    while spans and spans[-1].start > span.start:
        spans.pop()
    spans.append(span)
