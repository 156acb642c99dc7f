"""Scenes as screenplays, for the formats of other screenwriting programs: Fountain and FDX.

A scene's setting is the first heading, its premise the first synopsis. Fountain and FDX have no
place for the characters who are present: a note lists them, which FDX leaves out.
"""

from collections.abc import Iterator

from demo.scene.scene import Entry, Scene
from nothing_gpt.line import collapse, is_name
from nothing_gpt.prompt import Direction
from script_formats.fdx import parse_fdx, write_fdx
from script_formats.fountain import parse_fountain, write_fountain
from script_formats.markup import remove_protection
from script_formats.screenplay import (
    Action,
    Cue,
    Dialogue,
    Element,
    Heading,
    Lyric,
    Note,
    PageBreak,
    Screenplay,
    Section,
    Synopsis,
    TitleEntry,
)

_PRESENT = "Present: "


def export_fountain(scene: Scene, title: str) -> str:
    """Write a scene as Fountain."""
    return write_fountain(to_screenplay(scene, title))


def import_fountain(text: str) -> Scene:
    """Read a scene from Fountain, written by the room or by another program."""
    return to_scene(parse_fountain(text))


def export_fdx(scene: Scene, title: str) -> str:
    """Write a scene as FDX: setting, speeches and stage directions."""
    return write_fdx(to_screenplay(scene, title))


def import_fdx(text: str) -> Scene:
    """Read a scene from FDX, written by the room or by another program.

    Raises:
        UserError: the text is no FDX, or damaged.
    """
    return to_scene(parse_fdx(text))


def to_screenplay(scene: Scene, title: str) -> Screenplay:
    """Convert a scene; the title page names the models that wrote some of it."""
    title_page = [TitleEntry("Title", title)]
    models = sorted({entry.take.model for entry in scene.entries if entry.take})
    if models:
        title_page.append(TitleEntry("Notes", f"Written with {', '.join(models)}"))
    return Screenplay(tuple(_to_elements(scene)), tuple(title_page))


def _to_elements(scene: Scene) -> Iterator[Element]:
    direction = scene.direction
    if setting := collapse(direction.setting):
        yield Heading(setting)
    if premise := collapse(direction.premise):
        yield Synopsis(premise)
    if direction.present:
        yield Note(f"{_PRESENT}{', '.join(direction.present)}")
    for entry in scene.entries:
        if entry.speaker is None:
            yield Action(entry.text)
        else:
            yield Cue(entry.speaker)
            yield Dialogue(entry.text)


def to_scene(screenplay: Screenplay) -> Scene:
    """Convert a screenplay.

    Later headings and parentheticals become stage directions. So does a speech whose cue is not a
    valid character name; it keeps the cue in its text. Notes are left out, except for the one
    with the characters who are present, and so are sections.
    """
    premise = setting = cue = ""
    present: tuple[str, ...] = ()
    entries: list[Entry] = []
    in_speech = False  # whether the next dialogue continues the last entry
    for element in screenplay.elements:
        match element:
            case Note(text):
                present = present or _read_present(text)
                continue
            case Cue(name):
                cue, in_speech = name, False
                continue
            case Section() | PageBreak():
                continue
        words = remove_protection(element.text)
        match element:
            case Synopsis():
                premise = premise or words
            case Heading() if not (setting or entries):
                setting = words
            case _ if not words:
                pass
            case Dialogue() | Lyric() if in_speech:
                entries[-1] = Entry(f"{entries[-1].text} {words}", entries[-1].speaker)
            case Dialogue() | Lyric():
                entries.append(_to_entry(cue, words))
                in_speech = True
            case _:
                entries.append(Entry(words))
                in_speech = False
    return Scene(tuple(entries), Direction(premise, setting, present))


def _to_entry(cue: str, words: str) -> Entry:
    name = cue.upper()
    if is_name(name):
        return Entry(words, name)
    return Entry(f"{cue}: {words}" if cue else words)


def _read_present(note: str) -> tuple[str, ...]:
    names = note.removeprefix(_PRESENT).split(", ")
    if note.startswith(_PRESENT) and all(map(is_name, names)):
        return tuple(dict.fromkeys(names))
    return ()
