"""Screenplays in FDX, the XML that Final Draft and most screenwriting programs exchange."""

import re

from screenplay_tools import screenplay as library
from screenplay_tools.fdx.parser import Parser
from screenplay_tools.fdx.writer import Writer

from nothing_gpt.errors import UserError
from script_formats.library import convert_script
from script_formats.markup import protect_brackets
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

# XML 1.0 has no way to write these characters, not even as references.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parse_fdx(text: str) -> Screenplay:
    """Parse FDX.

    Raises:
        UserError: the text is no FDX, or damaged.
    """
    # The parser reads any other XML as an empty script.
    if "<FinalDraft" not in text:
        raise UserError("this is no Final Draft file; is it the right one?")
    parser = Parser()
    try:
        parser.parse(text)
    except ValueError as error:
        raise UserError(f"this Final Draft file is damaged ({error})"[:200]) from None
    return convert_script(parser.script)


def write_fdx(screenplay: Screenplay) -> str:
    """Write FDX.

    The library's writer leaves out the title page, synopses, notes, sections and page breaks, and
    writes lyrics as action. Characters that XML cannot contain become U+FFFD.
    """
    script = library.Script()
    for element in screenplay.elements:
        if converted := _to_library(element):
            script.add_element(converted)
    return str(Writer().write(script))


def _to_library(element: Element) -> library.Element | None:
    match element:
        case Heading(text):
            return library.SceneHeading(_clean(text))
        case Action(text) | Lyric(text):
            return library.Action(_clean(text))
        case Cue(name):
            return library.Character(_clean(name))
        case Parenthetical(text):
            return library.Parenthetical(_clean(text))
        case Dialogue(text):
            return library.Dialogue(_clean(text))
        case Transition(text):
            return library.Transition(_clean(text))
        case Synopsis() | Section() | Note() | PageBreak():
            return None


def _clean(text: str) -> str:
    # The writer, too, takes brackets with a number for the marks of notes, and leaves them out.
    return protect_brackets(_NOT_XML.sub("\ufffd", text))
