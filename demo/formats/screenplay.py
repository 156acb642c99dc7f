"""Between a scene and the screenplay library's script, which Fountain and FDX share."""

import re

from screenplay_tools import screenplay
from screenplay_tools.screenplay import ElementType

from demo.scene.scene import Entry, Scene
from nothing_gpt.line import collapse, is_name
from nothing_gpt.prompt import Direction

BREAK = "\u200b"
"""A zero-width space: Fountain has no escape for a speech that starts like `!`, `INT.` or `(`,
nor for its brackets, and this keeps a reader from taking words for marks. Nobody sees it."""

PRESENT = "Present: "

# Where notes and cut passages stood, the library leaves numbered marks.
_MARK = re.compile(r"\[\[(\d+)\]\]|/\*\d+\*/")


def hide_marks(text: str) -> str:
    """Break up the brackets of notes and of comments."""
    for mark in ("[[", "/*", "*/"):
        text = text.replace(mark, mark[0] + BREAK + mark[1])
    return text


def read_script(script: screenplay.Script) -> Scene:
    """Make a scene of a script: the first heading is the setting, the first synopsis the premise.

    Later headings, and the parentheticals of speeches, are stage directions. A speech of one
    whose name cannot be a character's here becomes a stage direction too, with the name in it.
    Notes and cut passages are left out, but for the note of who is present.
    """
    premise = setting = cue = ""
    present: tuple[str, ...] = ()
    entries: list[Entry] = []
    going_on = False  # the speech before this element goes on in it
    for element in script.elements:
        present = present or _present(element.text_raw, script)
        words = collapse(_MARK.sub("", element.text_raw).replace(BREAK, ""))
        if isinstance(element, screenplay.Character):
            cue, going_on = collapse(element.name), False
        elif element.type == ElementType.SYNOPSIS:
            premise = premise or words
        elif element.type == ElementType.HEADING and not (setting or entries):
            setting = words
        elif element.type in (ElementType.DIALOGUE, ElementType.LYRIC) and words:
            if going_on:
                entries[-1] = Entry(f"{entries[-1].text} {words}", entries[-1].speaker)
            else:
                entries.append(_speech(cue, words))
                going_on = True
        elif words and element.type != ElementType.SECTION:
            entries.append(Entry(words))
            going_on = False
    return Scene(tuple(entries), Direction(premise, setting, present))


def _speech(cue: str, words: str) -> Entry:
    name = cue.upper()
    if is_name(name):
        return Entry(words, name)
    return Entry(f"{cue}: {words}" if cue else words)


def _present(text: str, script: screenplay.Script) -> tuple[str, ...]:
    for mark in _MARK.finditer(text):
        number = int(mark[1]) if mark[1] and len(mark[1]) < 9 else len(script.notes)
        note = collapse(script.notes[number].text) if number < len(script.notes) else ""
        names = note.removeprefix(PRESENT).split(", ")
        if note.startswith(PRESENT) and all(map(is_name, names)):
            return tuple(dict.fromkeys(names))
    return ()
