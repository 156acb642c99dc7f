"""A scene to take away: as plain text, and as Fountain, which screenwriting tools read."""

import re

from screenplay_tools import screenplay
from screenplay_tools.fountain.writer import Writer

from demo.scene import Scene
from nothing_gpt.line import collapse

_BREAK = "\u200b"
"""A zero-width space: Fountain has no escape for a speech that starts like `!`, `INT.` or `(`,
nor for its brackets, and this keeps a reader from taking words for marks. Nobody sees it."""


def to_text(scene: Scene, title: str) -> str:
    """Write the scene as people type scripts: `NAME: words`, stage directions in brackets."""
    direction = scene.direction
    head = [title.upper(), direction.premise, direction.setting]
    present = f"Present: {', '.join(direction.present)}" if direction.present else ""
    body = [f"{e.speaker}: {e.text}" if e.speaker else f"({e.text})" for e in scene.entries]
    return "\n\n".join(part for part in [*map(collapse, head), present, *body] if part) + "\n"


def to_fountain(scene: Scene, title: str) -> str:
    """Write the scene as Fountain: setting as heading, premise as synopsis.

    Who is present, which Fountain has no place for, is a note.
    """
    script = screenplay.Script()
    script.titleEntries.append(screenplay.TitleEntry("Title", _plain(title)))
    models = sorted({entry.take.model for entry in scene.entries if entry.take})
    if models:
        credit = _plain(f"Written with {', '.join(models)}")
        script.titleEntries.append(screenplay.TitleEntry("Notes", credit))
    if setting := collapse(scene.direction.setting):
        script.add_element(_heading(setting))
    if premise := collapse(scene.direction.premise):
        script.add_element(screenplay.Synopsis(_plain(premise)))
    if present := scene.direction.present:
        script.notes.append(screenplay.Note(f"Present: {', '.join(present)}"))
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


def _plain(text: str) -> str:
    """Break up the brackets of notes and of comments."""
    for mark in ("[[", "/*", "*/"):
        text = text.replace(mark, mark[0] + _BREAK + mark[1])
    return text


def _speech(text: str) -> str:
    """Words that start like something else get the break in front."""
    marked = re.match(r"[!@>#~=]|\.[^.]|\(.*\)$", text) or _is_heading(text)
    return _plain(_BREAK + text if marked else text)


def _action(text: str) -> screenplay.Action:
    # Without small letters, up to a bracket, it would be read as a name.
    small = re.search("[a-z]", text.partition("(")[0])
    common = small and text[0].isalnum() and not _is_heading(text)
    return screenplay.Action(_plain(text), forced=not common)


def _heading(text: str) -> screenplay.Element:
    if not re.match("[A-Za-z0-9]", text):
        return screenplay.Action(_plain(text), forced=True)
    text = _plain(re.sub("#$", _BREAK + "#", text))  # `#1#` at the end numbers a scene
    return screenplay.SceneHeading(text, forced=not _is_heading(text))


def _is_heading(text: str) -> bool:
    return re.match(r"(INT|EXT|EST|INT\./EXT|INT/EXT|I/E)[. ]|FADE IN:", text, re.I) is not None
