"""Scenes as screenplays, for the formats of other screenwriting programs: Fountain and FDX.

A scene's setting is the first heading, its premise the first synopsis. Fountain and FDX have no
place for the characters who are present: a note lists them, which FDX leaves out.
"""

from collections.abc import Iterator

from demo.scene.scene import Entry, Form, Scene
from nothing_gpt.line import collapse, is_name, to_name
from nothing_gpt.prompt import Direction
from script_formats.fdx import parse_fdx, write_fdx
from script_formats.fountain import parse_fountain
from script_formats.fountain_writer import write_fountain
from script_formats.markup import remove_protection
from script_formats.screenplay import (
    Action,
    Comment,
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

_PRESENT = "Present: "

_BETWEEN: dict[Form | None, type[Heading | Transition]] = {
    "heading": Heading,
    "transition": Transition,
}


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
    yield from _to_parts(scene.entries)


def _to_parts(entries: tuple[Entry, ...]) -> Iterator[Element]:
    """Yield speeches and what is between them; a parenthetical is inside its speaker's speech."""
    speaker, directed = None, False  # of the open speech; whether its last part is a parenthetical
    for index, entry in enumerate(entries):
        if entry.speaker is None:
            speaker, directed = None, False
            yield _BETWEEN.get(entry.form, Action)(entry.text)
            continue
        inside = entry.form == "parenthetical"
        if entry.speaker != speaker or not (inside or directed):
            yield Cue(entry.speaker, dual=_is_dual(entries, index))
        yield Parenthetical(entry.text) if inside else Dialogue(entry.text)
        speaker, directed = entry.speaker, inside


def _is_dual(entries: tuple[Entry, ...], index: int) -> bool:
    """Return whether a speech that begins here stands beside the one before it."""
    first = entries[index]
    while entries[index].form == "parenthetical" and index + 1 < len(entries):
        index += 1
    return entries[index].form == "dual" and entries[index].speaker == first.speaker


def to_scene(screenplay: Screenplay) -> Scene:
    """Convert a screenplay.

    A speech whose cue cannot be made a character's name becomes a stage direction, and keeps the
    cue in its text. Notes are left out, except for the
    one with the characters who are present, and so are sections and comments.
    """
    premise = setting = cue = ""
    present: tuple[str, ...] = ()
    # The cue, the words and the form of each entry. They are joined at the end, which takes linear
    # time.
    entries: list[tuple[str, list[str], Form | None]] = []
    dual = False  # whether the next speech stands beside the one before it
    in_speech = False  # whether the next dialogue continues the last entry
    for element in screenplay.elements:
        match element:
            case Note(text):
                present = present or _read_present(text)
                continue
            case Cue(name):
                cue, in_speech, dual = name, False, element.dual
                continue
            case Section() | PageBreak() | Comment():
                continue
        words = remove_protection(element.text)
        match element:
            case Synopsis():
                premise = premise or words
            case Heading() if not (setting or entries):
                setting = words
            case _ if not words:
                pass
            case Lyric() if not element.in_speech:
                entries.append(("", [words], None))
                cue, in_speech = "", False
            case Dialogue() | Lyric() if in_speech:
                entries[-1][1].append(words)
            case Dialogue() | Lyric():
                entries.append((cue, [words], "dual" if dual else None))
                in_speech, dual = True, False
            case Parenthetical():
                entries.append((cue, [words], "parenthetical"))
                in_speech = False
            case _:
                form = next(
                    (name for name, kind in _BETWEEN.items() if type(element) is kind), None
                )
                entries.append(("", [words], form))
                cue, in_speech = "", False
    found = tuple(_to_entry(name, " ".join(words), form) for name, words, form in entries)
    return Scene(found, Direction(premise, setting, present))


def _to_entry(cue: str, words: str, form: Form | None) -> Entry:
    name = to_name(cue)
    if is_name(name):
        return Entry(words, name, form=form)
    if form in ("heading", "transition"):
        return Entry(words, form=form)
    return Entry(f"{cue}: {words}" if cue and form != "parenthetical" else words)


def _read_present(note: str) -> tuple[str, ...]:
    names = note.removeprefix(_PRESENT).split(", ")
    if note.startswith(_PRESENT) and all(map(is_name, names)):
        return tuple(dict.fromkeys(names))
    return ()
