"""What can be asked of the controller, as its fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nothing_gpt.controller.uploads import Chunk
from nothing_gpt.line import collapse, to_name
from nothing_gpt.show import Character

_MAX_TEXT = 200  # characters of a title, or of a right


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in the cast, by the name to write, and other names in the scripts."""

    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Corrections:
    """What a person has corrected in a drafted show."""

    title: str
    cast: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class SourceName:
    """What the scripts are called, which becomes the show's name."""

    name: str = ""


@dataclass(frozen=True, slots=True)
class Rights:
    """By what right somebody trains on the scripts."""

    rights: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """No fields."""


ACTIONS: dict[str, type[Any]] = {
    "begin": Nothing,
    "add": Chunk,
    "read": SourceName,
    "correct": Corrections,
    "train": Rights,
    "stop": Nothing,
    "forget": Nothing,
}
"""The methods that can be asked for, with the fields of each."""


def clean_text(text: str) -> str:
    """Put what a person typed on one line, without characters that no file can have."""
    return collapse("".join(c for c in text if c.isprintable() or c.isspace()))[:_MAX_TEXT]


def make_character(member: Member, voices: Mapping[str, str]) -> Character:
    """Make a member of the cast; the voice is that of the name.

    Raises:
        ValueError: the name cannot stand in a line.
    """
    name = to_name(member.name)
    aliases = dict.fromkeys(clean_text(alias) for alias in member.aliases)
    return Character(
        name, tuple(a for a in aliases if a and to_name(a) != name), voices.get(name, "")
    )
