"""A writer of Fountain, the plain-text format of screenplays: https://fountain.io/syntax."""

import re
from collections.abc import Iterator

from script_formats.cues import looks_like_name
from script_formats.fountain_elements import is_heading
from script_formats.markup import protect_brackets, protect_scene_number, protect_start
from script_formats.screenplay import (
    Action,
    Comment,
    Cue,
    Dialogue,
    Element,
    Heading,
    Lyric,
    Mark,
    Note,
    PageBreak,
    Parenthetical,
    Screenplay,
    Section,
    Synopsis,
    Transition,
)

# Parts of a speech, which no empty line separates.
_SPOKEN = (Cue, Parenthetical, Dialogue, Lyric)

# Parts that a reader takes out, so that the lines around them belong together.
_REMARKS = (Note, Mark, Comment)


def write_fountain(screenplay: Screenplay) -> str:
    """Write Fountain.

    `parse_fountain` returns the same elements. In headings, synopses, action and dialogue, words
    that look like markup get a zero-width space (`markup.remove_protection`). A note becomes a
    line of its own. A heading that starts with neither letter nor digit becomes action, because
    Fountain has no form for it.
    """
    return "\n".join(_write_lines(screenplay)) + "\n"


def _write_lines(screenplay: Screenplay) -> Iterator[str]:
    for entry in screenplay.title_page:
        yield f"{entry.key}: {protect_brackets(entry.text)}"
    if screenplay.title_page:
        yield ""
    previous: Element | None = None
    speaker = ""
    for element in screenplay.elements:
        yield from [""] * _count_empty_lines(previous, element)
        text = _write_element(element)
        if isinstance(element, Cue):
            text += " (CONT'D)" if element.name == speaker else ""
            text += " ^" if element.dual else ""
            speaker = element.name
        elif isinstance(element, (Heading, Transition, PageBreak, Section)):
            speaker = ""
        yield text
        if not (isinstance(element, _REMARKS) and isinstance(previous, _SPOKEN)):
            previous = element


def _count_empty_lines(previous: Element | None, element: Element) -> int:
    match element:
        case Heading() | Section():
            return 2
        case Parenthetical() | Dialogue():
            return 0
        case Lyric() if element.in_speech and isinstance(previous, _SPOKEN):
            return 0
        case Note() | Mark() | Comment() if isinstance(previous, _SPOKEN):
            return 0
        case Action() if isinstance(previous, Action):
            return 0
    return 1


def _write_element(element: Element) -> str:
    match element:
        case Heading(text):
            return _write_heading(text)
        case Synopsis(text):
            return f"= {protect_brackets(text)}"
        case Action(text):
            return _write_action(text)
        case Cue(name):
            forced = not looks_like_name(name) or not name[0].isascii() or is_heading(name)
            return f"@{name}" if forced else name
        case Parenthetical(text):
            return f"({protect_brackets(text)})"
        case Dialogue(text):
            return _write_dialogue(text)
        case Lyric(text):
            return f"~ {protect_brackets(text)}"
        case Transition(text):
            return f">{protect_brackets(text)}"
        case Section(text):
            return f"# {protect_brackets(text)}"
        case Note(text) | Mark(text):
            return f"[[{protect_brackets(text)}]]"
        case Comment(text):
            return f"/*{protect_brackets(text)}*/"
        case PageBreak():
            return "==="


def _write_heading(text: str) -> str:
    if not text[:1].isalnum():
        return f"!{protect_brackets(text)}"
    words = protect_brackets(protect_scene_number(text))
    return words if is_heading(words) else f".{words}"


def _write_action(text: str) -> str:
    # Without a lower-case letter before the first bracket, it would be read as a cue.
    lower = re.search("[a-z]", text.partition("(")[0])
    unambiguous = lower and text[:1].isalnum() and not _is_heading_elsewhere(text)
    return protect_brackets(text if unambiguous else f"!{text}")


def _write_dialogue(text: str) -> str:
    ambiguous = re.match(r"[!@>#~=]|\.[^.]|\(.*\)$", text) or _is_heading_elsewhere(text)
    return protect_brackets(protect_start(text) if ambiguous else text)


def _is_heading_elsewhere(text: str) -> bool:
    """Return whether some reader of Fountain takes a line for a heading."""
    return is_heading(text) or text.upper().startswith("FADE IN:")
