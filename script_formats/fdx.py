"""Screenplays in FDX, the XML that Final Draft and most screenwriting programs exchange.

Reader and writer are written out here: those of the library screenplay-tools 0.0.10 lose all but
the first run of a paragraph, dual dialogue and lyrics.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from xml.etree import ElementTree

from nothing_gpt.errors import UserError
from nothing_gpt.line import collapse
from script_formats.cues import read_cue_name
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

# XML 1.0 has no way to write these characters, not even as references.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DECLARATION = re.compile(r"<\?xml[^>]{0,200}\?>")

_KINDS: dict[str, type[Heading | Action | Dialogue | Lyric | Transition | Section]] = {
    "scene heading": Heading,
    "shot": Heading,
    "action": Action,
    "general": Action,
    "cast list": Action,
    "dialogue": Dialogue,
    "lyrics": Lyric,
    "transition": Transition,
    "new act": Section,
    "end of act": Section,
}


def is_fdx(text: str) -> bool:
    """Return whether a text claims to be FDX."""
    return "<FinalDraft" in text or re.search("<[A-Za-z0-9]{1,40}:FinalDraft", text) is not None


def parse_fdx(text: str) -> Screenplay:
    """Parse FDX.

    A paragraph of a type that Final Draft does not have is dialogue inside of a speech, and action
    elsewhere. An element's line is the number of its paragraph.

    Raises:
        UserError: the text is no FDX, or damaged.
    """
    if not is_fdx(text):
        raise UserError("this is no Final Draft file; is it the right one?")
    if "<!ENTITY" in text:
        raise UserError("this Final Draft file is damaged (it defines entities)")
    try:
        root = ElementTree.fromstring(  # noqa: S314 - entities are refused above
            _DECLARATION.sub("", text[text.index("<") :], count=1)
        )
    except ElementTree.ParseError as error:
        raise UserError(f"this Final Draft file is damaged ({error})"[:200]) from None
    content = next((child for child in root if _tag(child) == "Content"), None)
    return Screenplay(tuple(_read_elements(content)) if content is not None else ())


def _tag(element: ElementTree.Element) -> str:
    """Return the name of a tag without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _read_elements(content: ElementTree.Element) -> Iterator[Element]:
    in_speech, pair = False, None
    for number, (paragraph, dual) in enumerate(_list_paragraphs(content), 1):
        text = collapse("".join(_read_texts(paragraph)))
        element = _read_paragraph(paragraph.get("Type", ""), text, number, in_speech=in_speech)
        if isinstance(element, Cue) and dual is not None:
            element, pair = replace(element, dual=pair is dual), dual
        yield element if text else replace(element, lines=0)
        in_speech = isinstance(element, (Cue, Parenthetical, Dialogue, Lyric))
        for child in paragraph:
            if _tag(child) == "ScriptNote":
                yield Note(collapse("".join(child.itertext())), line=number, lines=0)


def _list_paragraphs(
    content: ElementTree.Element,
) -> Iterator[tuple[ElementTree.Element, ElementTree.Element | None]]:
    """Yield all paragraphs in order, each with its dual dialogue, but not those of notes."""
    waiting: list[tuple[ElementTree.Element, ElementTree.Element | None]]
    waiting = [(child, None) for child in reversed(content)]
    while waiting:
        element, dual = waiting.pop()
        dual = element if _tag(element) == "DualDialogue" else dual
        inner = [child for child in element if _tag(child) in ("DualDialogue", "Paragraph")]
        if _tag(element) == "Paragraph" and (not inner or any(_read_texts(element))):
            yield element, dual
        waiting.extend((child, dual) for child in reversed(inner))


def _read_texts(paragraph: ElementTree.Element) -> Iterator[str]:
    for child in paragraph:
        if _tag(child) == "Text":
            yield from child.itertext()


def _read_paragraph(kind: str, text: str, number: int, *, in_speech: bool) -> Element:
    match kind.strip().lower():
        case "character":
            return Cue(read_cue_name(text), line=number)
        case "parenthetical":
            inner = text[1:-1].strip() if text[:1] == "(" and text[-1:] == ")" else text
            return Parenthetical(inner, line=number)
        case known if known in _KINDS:
            return _KINDS[known](text, line=number)
        case custom if custom and in_speech:
            return Dialogue(text, line=number)
    return Action(text, line=number)


def write_fdx(screenplay: Screenplay) -> str:
    """Write FDX.

    The title page, synopses, notes, comments, sections and page breaks are left out. Characters
    that XML cannot contain become U+FFFD.
    """
    root = ElementTree.Element("FinalDraft", DocumentType="Script", Template="No", Version="5")
    content = ElementTree.SubElement(root, "Content")
    for element, paired in _pair_speeches(screenplay.elements):
        written = _write_element(element)
        if written is None:
            continue
        kind, text = written
        place = content
        if paired:
            last = content[-1] if len(content) else None
            pair = None if last is None else last.find("DualDialogue")
            if pair is None or (isinstance(element, Cue) and not element.dual):
                holder = ElementTree.SubElement(content, "Paragraph")
                pair = ElementTree.SubElement(holder, "DualDialogue")
            place = pair
        paragraph = ElementTree.SubElement(place, "Paragraph", Type=kind)
        ElementTree.SubElement(paragraph, "Text").text = _NOT_XML.sub("\ufffd", text)
    ElementTree.indent(root, "    ")
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _pair_speeches(elements: Sequence[Element]) -> Iterator[tuple[Element, bool]]:
    """Tell of each element whether it is part of a dual dialogue, in either speech."""
    speech: list[Element] = []
    ended, paired = True, False
    for element in elements:
        if isinstance(element, Cue):
            is_second = element.dual and not ended and not paired
            yield from ((part, is_second or paired) for part in speech)
            speech, ended, paired = [element], False, is_second
        elif not ended and isinstance(element, (Parenthetical, Dialogue, Lyric)):
            speech.append(element)
        else:
            yield from ((part, paired) for part in speech)
            speech, ended, paired = [], True, False
            yield element, False
    yield from ((part, paired) for part in speech)


def _write_element(element: Element) -> tuple[str, str] | None:
    match element:
        case Heading(text):
            return "Scene Heading", text
        case Action(text):
            return "Action", text
        case Cue(name):
            return "Character", name
        case Parenthetical(text):
            return "Parenthetical", f"({text})"
        case Dialogue(text):
            return "Dialogue", text
        case Lyric(text):
            return "Lyrics", text
        case Transition(text):
            return "Transition", text
        case Synopsis() | Section() | Note() | Comment() | PageBreak() | Mark():
            return None
