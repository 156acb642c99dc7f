"""A scene as the room keeps it: its direction, its entries, and where each came from.

Everything here is a value: an operation gives a new scene and leaves the old one as it was.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

from nothing_gpt.errors import UserError
from nothing_gpt.line import MAX_NAME, Line, collapse, is_name, parse_lines
from nothing_gpt.prompt import Direction

Origin = Literal["model", "human", "edited"]
SpeakerAndText = tuple[str | None, str]
"""An entry's speaker and text."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """One continuation by a model; the seed tells it from the others.

    `base` is the model under an adapter, where the server told it.
    """

    model: str
    seed: int
    base: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A speech, or, without a speaker, a stage direction; `take` is the model's share in it.

    Raises:
        ValueError: the speaker is no name, or the text is empty or not on one line.
    """

    text: str
    speaker: str | None = None
    take: Provenance | None = None
    edited: bool = False

    def __post_init__(self) -> None:
        if self.speaker is not None:
            Line(self.speaker, self.text)
        elif not self.text or self.text != collapse(self.text):
            raise ValueError(f"a stage direction must be non-empty, on one line: {self.text!r}")

    @property
    def origin(self) -> Origin:
        """Who wrote it: the model, a person, or the model and then a person."""
        if self.take is None:
            return "human"
        return "edited" if self.edited else "model"

    @property
    def words(self) -> SpeakerAndText:
        """What it says, whoever wrote it."""
        return self.speaker, self.text

    @property
    def line(self) -> Line | None:
        """What a model is told of it; a stage direction is for people only."""
        return None if self.speaker is None else Line(self.speaker, self.text)


@dataclass(frozen=True, slots=True)
class Scene:
    """Entries in order, and what the scene is told about itself."""

    entries: tuple[Entry, ...] = ()
    direction: Direction = field(default_factory=Direction)

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is spoken."""
        return tuple(line for entry in self.entries if (line := entry.line))

    @property
    def speakers(self) -> tuple[str, ...]:
        """Everyone who is in the scene, by its direction or by what is spoken."""
        spoken = (entry.speaker for entry in self.entries if entry.speaker is not None)
        return tuple(dict.fromkeys([*self.direction.present, *spoken]))

    @property
    def last_take(self) -> Provenance | None:
        """The continuation that the scene ends with, if it ends with one."""
        return self.entries[-1].take if self.entries else None

    def append(self, *entries: Entry) -> "Scene":
        """Add entries at the end."""
        return replace(self, entries=self.entries + entries)

    def insert(self, index: int, *entries: Entry) -> "Scene":
        """Put entries before the one at an index; an index past the last puts them at the end."""
        return replace(self, entries=self.entries[:index] + entries + self.entries[index:])

    def move(self, index: int, to: int) -> "Scene":
        """Take an entry elsewhere; `to` is its index afterwards."""
        return self.remove(index).insert(to, self.entries[index])

    def before(self, index: int) -> "Scene":
        """The scene up to an entry, without it."""
        return replace(self, entries=self.entries[:index])

    def revise(self, index: int, speaker: str | None, text: str) -> "Scene":
        """Let a person rewrite an entry, who keeps its part of the provenance."""
        old = self.entries[index]
        new = replace(old, speaker=speaker, text=text, edited=old.take is not None)
        return replace(self, entries=(*self.entries[:index], new, *self.entries[index + 1 :]))

    def remove(self, index: int) -> "Scene":
        """Take an entry out."""
        return replace(self, entries=self.entries[:index] + self.entries[index + 1 :])

    def without_last_take(self) -> "Scene":
        """The scene as it was before the continuation that it ends with."""
        kept = len(self.entries)
        while self.last_take and kept and self.entries[kept - 1].take == self.last_take:
            kept -= 1
        return replace(self, entries=self.entries[:kept])

    def directed(self, direction: Direction) -> "Scene":
        """The same entries under another direction."""
        return replace(self, direction=direction)


def read_name(text: str) -> str:
    """Read a character's name as people type it.

    Raises:
        UserError: it cannot stand before a line.
    """
    name = collapse(text).upper()
    if not name:
        raise UserError("nobody is named here; choose who speaks")
    if not is_name(name):
        raise UserError(
            f"'{collapse(text)[:40]}' cannot be a character's name: a name starts with a letter, "
            f"has at most {MAX_NAME} characters, and only letters, digits, spaces and . ' - #"
        )
    return name


def read_names(text: str) -> tuple[str, ...]:
    """Read names set apart by commas.

    Raises:
        UserError: one of them cannot be a name.
    """
    return tuple(dict.fromkeys(read_name(part) for part in text.split(",") if part.strip()))


def read_entry(speaker: str | None, text: str) -> Entry:
    """Read the words that a person gave to a speaker, or wrote as a stage direction.

    Raises:
        UserError: there are no words, or the speaker cannot be one.
    """
    if not collapse(text):
        raise UserError("this line has no words yet; write some, then add it")
    return Entry(collapse(text), None if speaker is None else read_name(speaker))


def read_entries(speaker: str | None, text: str) -> tuple[Entry, ...]:
    """Read a piece of script, `[NAME] words` on every line, or else words of the given speaker.

    Raises:
        UserError: as `read_entry` does.
    """
    parsed = parse_lines(text)
    lines = [line for line in parsed if isinstance(line, Line)]
    if lines and len(lines) == len(parsed):
        return tuple(Entry(line.text, line.speaker) for line in lines)
    return (read_entry(speaker, text),)
