"""Scenes as JSON, complete: also who wrote each line, with which model and seed."""

import json
from dataclasses import dataclass, field

from demo.formats.untrusted_text import read_json_text
from demo.scene.scene import Entry, Form, Origin, Provenance, Scene
from nothing_gpt.errors import UserError
from nothing_gpt.line import is_name
from nothing_gpt.prompt import Direction
from nothing_gpt.records import decode, encode

KIND = "nothing-gpt scene"
VERSION = 1
BACKUP_KIND = "nothing-gpt backup"
"""The kind of the file that the page writes (demo/static/backup/backup_file.js)."""

_SOURCE = "this JSON file"  # as error messages call it


@dataclass(frozen=True, slots=True)
class _Line:
    """An entry. `origin` is for people who read the file; it follows from the other fields."""

    text: str
    speaker: str | None = None
    origin: Origin = "human"
    take: Provenance | None = None
    edited: bool = False
    form: Form | None = None


@dataclass(frozen=True, slots=True)
class _File:
    kind: str
    version: int
    title: str
    direction: Direction = field(default_factory=Direction)
    lines: tuple[_Line, ...] = ()


def write(scene: Scene, title: str) -> str:
    """Write a scene as indented JSON."""
    lines = tuple(
        _Line(e.text, e.speaker, e.origin, e.take, e.edited, e.form) for e in scene.entries
    )
    data = encode(_File(KIND, VERSION, title, scene.direction, lines))
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def read(text: str) -> Scene:
    """Read a scene.

    Raises:
        UserError: the text is not such a file, or it is damaged.
    """
    data = read_json_text(text, _SOURCE)
    if isinstance(data, dict) and data.get("kind") == BACKUP_KIND:
        raise UserError(f"{_SOURCE} is a backup; Restore, in the list of scenes, reads it")
    if not isinstance(data, dict) or data.get("kind") != KIND:
        raise UserError(f"{_SOURCE} holds no scene of this room; is it the right one?")
    if data.get("version") != VERSION:
        raise UserError(f"{_SOURCE} was written by another version of the room; update this one")
    file = decode(_File, data, _SOURCE)
    for name in file.direction.present:
        if not is_name(name):
            raise UserError(f"{_SOURCE}: '{name[:40]}' cannot be a character's name")
    try:
        entries = tuple(Entry(e.text, e.speaker, e.take, e.edited, e.form) for e in file.lines)
    except ValueError as error:
        raise UserError(f"{_SOURCE}: {error}"[:200]) from None
    return Scene(entries, file.direction)
