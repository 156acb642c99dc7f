"""The element model from the objects of screenplay-tools, for all formats that it parses."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from screenplay_tools.screenplay import ElementType, Script

from nothing_gpt.line import collapse
from script_formats.screenplay import (
    Action,
    Cue,
    Dialogue,
    Element,
    Heading,
    Lyric,
    Note,
    PageBreak,
    Parenthetical,
    Screenplay,
    Section,
    Synopsis,
    TitleEntry,
    Transition,
)

# The parser replaces notes and cut passages by numbered marks.
_MARK = re.compile(r"\[\[(\d+)\]\]|/\*\d+\*/")

# A longer number is not one of the parser's marks: no script has that many notes. Python refuses
# to convert a number of more than 4,300 digits.
_MAX_DIGITS = 8

_TEXT_KINDS: dict[ElementType, Callable[[str], Element]] = {
    ElementType.HEADING: Heading,
    ElementType.SYNOPSIS: Synopsis,
    ElementType.ACTION: Action,
    ElementType.PARENTHETICAL: Parenthetical,
    ElementType.DIALOGUE: Dialogue,
    ElementType.LYRIC: Lyric,
    ElementType.TRANSITION: Transition,
    ElementType.SECTION: Section,
}


def convert_script(script: Script) -> Screenplay:
    """Convert a parsed script."""
    title_page = tuple(
        TitleEntry(entry.key.strip(), collapse(entry.text)) for entry in script.titleEntries
    )
    return Screenplay(tuple(_convert_elements(script)), title_page)


def _convert_elements(script: Script) -> Iterator[Element]:
    notes = [collapse(note.text) for note in script.notes]
    for element in script.elements:
        yield _convert_element(element)
        for mark in _MARK.finditer(element.text_raw):
            digits = mark[1] or ""
            if 0 < len(digits) <= _MAX_DIGITS and int(digits) < len(notes):
                yield Note(notes[int(digits)])


def _convert_element(element: Any) -> Element:
    if element.type == ElementType.CHARACTER:
        return Cue(collapse(element.name))
    if element.type == ElementType.PAGEBREAK:
        return PageBreak()
    return _TEXT_KINDS[element.type](collapse(_MARK.sub("", element.text_raw)))
