"""The grammar of Fountain for one line: what it is outside of a speech."""

import re

from nothing_gpt.line import collapse
from script_formats.cues import is_dual, looks_like_name, read_cue_name
from script_formats.screenplay import (
    Action,
    Cue,
    Element,
    Heading,
    Lyric,
    PageBreak,
    Section,
    Synopsis,
    Transition,
)

_HEADING = re.compile(r"(INT|EXT|EST|INT\./EXT|INT/EXT|I/E)[. ]", re.IGNORECASE)
_SCENE_NUMBER = re.compile(r"[\w.\-]{1,20}")
_PAGE_BREAK = re.compile("={3,}")


def is_heading(text: str) -> bool:
    """Return whether a line is a scene heading without a mark that says so."""
    return _HEADING.match(text) is not None


def is_transition(text: str) -> bool:
    """Return whether a line after an empty one is a transition without a mark that says so."""
    if any(character.islower() for character in text):
        return False
    return text.endswith("TO:") or (text.startswith("FADE ") and text.endswith((":", ".")))


def is_page_break(text: str) -> bool:
    """Return whether a line is a page break."""
    return _PAGE_BREAK.fullmatch(text) is not None


def read_marked(text: str, number: int) -> Element | None:
    """Read a line whose first character says what it is; None without such a character."""
    marked = collapse(text[1:])
    match text[0]:
        case "#":
            return Section(collapse(text.lstrip("#")), line=number)
        case "!":
            return Action(marked, line=number)
        case "." if text[1:2].isalnum():
            return Heading(_remove_scene_number(marked), line=number)
        case "@" if name := read_cue_name(text[1:]):
            return Cue(name, line=number, dual=is_dual(text))
        case ">" if text[-1] == "<" and len(text) > 1:
            return Action(collapse(text[1:-1]), line=number)
        case ">":
            return Transition(marked, line=number)
        case "=" if is_page_break(text):
            return PageBreak(line=number)
        case "=" if not text.startswith("=="):
            return Synopsis(marked, line=number)
        case "~":
            return Lyric(marked, line=number, in_speech=False)
    return None


def read_unmarked(text: str, number: int, *, after_empty: bool, before_text: bool) -> Element:
    """Read a line by its words and by whether empty lines stand around it."""
    words = collapse(text)
    if is_heading(words):
        return Heading(_remove_scene_number(words), line=number)
    if after_empty and is_transition(words):
        return Transition(words, line=number)
    if after_empty and before_text:
        name = read_cue_name(words)
        if looks_like_name(name):
            return Cue(name, line=number, dual=is_dual(words))
    return Action(words, line=number)


def _remove_scene_number(heading: str) -> str:
    start = heading.rfind("#", 0, -1)
    numbered = heading.endswith("#") and _SCENE_NUMBER.fullmatch(
        heading, start + 1, -1 % len(heading)
    )
    return heading[:start].rstrip() if start >= 0 and numbered else heading
