"""A scene as Fountain, which screenwriting tools read: setting as heading, premise as synopsis."""

import re

from screenplay_tools import screenplay
from screenplay_tools.fountain.parser import Parser
from screenplay_tools.fountain.writer import Writer

from demo.formats.screenplay import BREAK, PRESENT, hide_marks, read_script
from demo.scene.scene import Scene
from nothing_gpt.line import collapse


def write(scene: Scene, title: str) -> str:
    """Write a scene; who is present, which Fountain has no place for, is a note."""
    script = screenplay.Script()
    script.titleEntries.append(screenplay.TitleEntry("Title", hide_marks(title)))
    models = sorted({entry.take.model for entry in scene.entries if entry.take})
    if models:
        credit = hide_marks(f"Written with {', '.join(models)}")
        script.titleEntries.append(screenplay.TitleEntry("Notes", credit))
    if setting := collapse(scene.direction.setting):
        script.add_element(_heading(setting))
    if premise := collapse(scene.direction.premise):
        if setting:  # the library puts no empty line here, without which it is no heading
            script.elements[-1].append_line("")
        script.add_element(screenplay.Synopsis(hide_marks(premise)))
    if present := scene.direction.present:
        script.notes.append(screenplay.Note(f"{PRESENT}{', '.join(present)}"))
        script.add_element(screenplay.Action("[[0]]"))
    for entry in scene.entries:
        if entry.speaker is None:
            script.add_element(_action(entry.text))
            continue
        forced = not re.match("[A-Z]", entry.speaker) or _is_heading(entry.speaker)
        script.add_element(screenplay.Character(entry.speaker, forced=forced))
        script.add_element(screenplay.Dialogue(_speech(entry.text)))
    writer = Writer()
    writer.pretty_print = False
    return str(writer.write(script)) + "\n"


def read(text: str) -> Scene:
    """Read a screenplay, ours or another."""
    parser = Parser()
    parser.mergeActions = False
    parser.add_text(text)
    return read_script(parser.script)


def _speech(text: str) -> str:
    """Words that start like something else get the break in front."""
    marked = re.match(r"[!@>#~=]|\.[^.]|\(.*\)$", text) or _is_heading(text)
    return hide_marks(BREAK + text if marked else text)


def _action(text: str) -> screenplay.Action:
    # Without small letters, up to a bracket, it would be read as a name.
    small = re.search("[a-z]", text.partition("(")[0])
    common = small and text[0].isalnum() and not _is_heading(text)
    return screenplay.Action(hide_marks(text), forced=not common)


def _heading(text: str) -> screenplay.Element:
    if not re.match("[A-Za-z0-9]", text):
        return screenplay.Action(hide_marks(text), forced=True)
    text = hide_marks(re.sub("#$", BREAK + "#", text))  # `#1#` at the end numbers a scene
    return screenplay.SceneHeading(text, forced=not _is_heading(text))


def _is_heading(text: str) -> bool:
    return re.match(r"(INT|EXT|EST|INT\./EXT|INT/EXT|I/E)[. ]|FADE IN:", text, re.I) is not None
