"""A scene as JSON, with everything: who wrote each line, by which model and seed."""

import json
from dataclasses import dataclass, field

from demo.formats.untrusted_text import read_json_text
from demo.scene.scene import Entry, Origin, Provenance, Scene
from nothing_gpt.errors import UserError
from nothing_gpt.line import is_name
from nothing_gpt.prompt import Direction
from nothing_gpt.records import decode, encode

KIND = "nothing-gpt scene"
VERSION = 1

_WHERE = "this JSON file"


@dataclass(frozen=True, slots=True)
class _Line:
    """An entry; `origin` is for people who read the file, and follows from the rest."""

    text: str
    speaker: str | None = None
    origin: Origin = "human"
    take: Provenance | None = None
    edited: bool = False


@dataclass(frozen=True, slots=True)
class _File:
    kind: str
    version: int
    title: str
    direction: Direction = field(default_factory=Direction)
    lines: tuple[_Line, ...] = ()


def write(scene: Scene, title: str) -> str:
    """Write a scene, readable."""
    lines = tuple(_Line(e.text, e.speaker, e.origin, e.take, e.edited) for e in scene.entries)
    data = encode(_File(KIND, VERSION, title, scene.direction, lines))
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def read(text: str) -> Scene:
    """Read it back.

    Raises:
        UserError: it is something else, or damaged.
    """
    data = read_json_text(text, _WHERE)
    if not isinstance(data, dict) or data.get("kind") != KIND:
        raise UserError(f"{_WHERE} holds no scene of this room; is it the right one?")
    if data.get("version") != VERSION:
        raise UserError(f"{_WHERE} was written by another version of the room; update this one")
    file = decode(_File, data, _WHERE)
    for name in file.direction.present:
        if not is_name(name):
            raise UserError(f"{_WHERE}: '{name[:40]}' cannot be a character's name")
    try:
        entries = tuple(Entry(e.text, e.speaker, e.take, e.edited) for e in file.lines)
    except ValueError as error:
        raise UserError(f"{_WHERE}: {error}"[:200]) from None
    return Scene(entries, file.direction)
