"""Screenplays in Fountain, the plain-text format: https://fountain.io/syntax."""

import re

from screenplay_tools import screenplay as library
from screenplay_tools.fountain.parser import Parser
from screenplay_tools.fountain.writer import Writer

from script_formats.library import convert_script
from script_formats.markup import protect_brackets, protect_scene_number, protect_start
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
    Transition,
)

# Starts of lines that the parser reads as a heading.
_HEADING_START = re.compile(r"(INT|EXT|EST|INT\./EXT|INT/EXT|I/E)[. ]|FADE IN:", re.IGNORECASE)


def parse_fountain(text: str) -> Screenplay:
    """Parse Fountain. Every text is valid: what nothing else matches is action."""
    parser = Parser()
    # One element for each line of action, as FDX has one for each paragraph.
    parser.mergeActions = False
    parser.add_text(text)
    return convert_script(parser.script)


def write_fountain(screenplay: Screenplay) -> str:
    """Write Fountain.

    `parse_fountain` returns the same elements. In headings, synopses, action and dialogue, words
    that look like markup get a zero-width space (`markup.remove_protection`). A note becomes a
    line of its own. A heading that starts with neither letter nor digit becomes action, because
    Fountain has no form for it.
    """
    script = library.Script()
    for entry in screenplay.title_page:
        script.titleEntries.append(library.TitleEntry(entry.key, protect_brackets(entry.text)))
    previous: Element | None = None
    for element in screenplay.elements:
        if isinstance(element, Synopsis) and isinstance(previous, Heading):
            # The writer puts no empty line here, and without one it is no heading.
            script.elements[-1].append_line("")
        script.add_element(_to_library(element, script))
        previous = element
    writer = Writer()
    writer.pretty_print = False
    return str(writer.write(script)) + "\n"


def _to_library(element: Element, script: library.Script) -> library.Element:
    match element:
        case Heading(text):
            return _heading(text)
        case Synopsis(text):
            return library.Synopsis(protect_brackets(text))
        case Action(text):
            return _action(text)
        case Cue(name):
            forced = not re.match("[A-Z]", name) or _is_heading(name)
            return library.Character(name, forced=forced)
        case Parenthetical(text):
            return library.Parenthetical(protect_brackets(text))
        case Dialogue(text):
            return _dialogue(text)
        case Lyric(text):
            return library.Lyric(protect_brackets(text))
        case Transition(text):
            return library.Transition(protect_brackets(text), forced=True)
        case Section(text):
            return library.Section(1, protect_brackets(text))
        case Note(text):
            script.notes.append(library.Note(text))
            return library.Action(f"[[{len(script.notes) - 1}]]")
        case PageBreak():
            return library.PageBreak()


def _heading(text: str) -> library.Element:
    if not re.match("[A-Za-z0-9]", text):
        return library.Action(protect_brackets(text), forced=True)
    words = protect_brackets(protect_scene_number(text))
    return library.SceneHeading(words, forced=not _is_heading(words))


def _action(text: str) -> library.Action:
    # Without a lower-case letter before the first bracket, it would be read as a cue.
    lower = re.search("[a-z]", text.partition("(")[0])
    unambiguous = lower and text[:1].isalnum() and not _is_heading(text)
    return library.Action(protect_brackets(text), forced=not unambiguous)


def _dialogue(text: str) -> library.Dialogue:
    ambiguous = re.match(r"[!@>#~=]|\.[^.]|\(.*\)$", text) or _is_heading(text)
    return library.Dialogue(protect_brackets(protect_start(text) if ambiguous else text))


def _is_heading(text: str) -> bool:
    return _HEADING_START.match(text) is not None
