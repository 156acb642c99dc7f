"""A scene: its direction, its entries, and the provenance of each entry.

All classes are immutable. An operation returns a new scene and leaves the old one unchanged.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

from nothing_gpt.errors import UserError
from nothing_gpt.line import Line, collapse
from nothing_gpt.prompt import Direction

Origin = Literal["model", "human", "edited"]
Form = Literal["parenthetical", "transition", "heading", "dual"]
EntryForm = Literal["speech", "direction", "parenthetical", "transition", "heading", "dual"]
SpeakerAndText = tuple[str | None, str]
"""An entry's speaker and text."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """The continuation that an entry comes from, identified by model and seed.

    `base` is the model under an adapter, if the server names it.
    """

    model: str
    seed: int
    base: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A speech, or a stage direction if there is no speaker.

    Attributes:
        take: The provenance of a model's entry; None for an entry that a person wrote.
        edited: Whether a person changed a model's entry.
        form: What it is in a screenplay, if it is no usual speech or stage direction: a direction
            to the speaker, a transition, a heading, or a speech beside the one before it.

    Raises:
        ValueError: the speaker is not a name, or the text is empty or not on one line.
    """

    text: str
    speaker: str | None = None
    take: Provenance | None = None
    edited: bool = False
    form: Form | None = None

    def __post_init__(self) -> None:
        if self.speaker is not None:
            Line(self.speaker, self.text)
        elif not self.text or self.text != collapse(self.text):
            raise ValueError(f"a stage direction must be non-empty, on one line: {self.text!r}")
        if self.form and (self.speaker is None) != (self.form in ("transition", "heading")):
            raise ValueError(
                f"a {self.form} {'needs' if self.speaker is None else 'has no'} speaker"
            )

    @property
    def origin(self) -> Origin:
        """Who wrote the entry: a model, a person, or a model and then a person."""
        if self.take is None:
            return "human"
        return "edited" if self.edited else "model"

    @property
    def words(self) -> SpeakerAndText:
        """The speaker and the text, without the provenance."""
        return self.speaker, self.text

    @property
    def line(self) -> Line | None:
        """The line that a prompt shows the model; None for what nobody says."""
        is_spoken = self.speaker is not None and self.form != "parenthetical"
        return Line(self.speaker, self.text) if self.speaker and is_spoken else None


@dataclass(frozen=True, slots=True)
class Scene:
    """Entries in order, and the scene's direction."""

    entries: tuple[Entry, ...] = ()
    direction: Direction = field(default_factory=Direction)

    @property
    def lines(self) -> tuple[Line, ...]:
        """The speeches, without stage directions."""
        return tuple(line for entry in self.entries if (line := entry.line))

    @property
    def speakers(self) -> tuple[str, ...]:
        """Everyone in the scene: those the direction names, then those who have spoken."""
        spoken = (entry.speaker for entry in self.entries if entry.speaker is not None)
        return tuple(dict.fromkeys([*self.direction.present, *spoken]))

    @property
    def last_take(self) -> Provenance | None:
        """The provenance of the last entry; None if a person wrote it."""
        return self.entries[-1].take if self.entries else None

    def append(self, *entries: Entry) -> "Scene":
        """Add entries at the end."""
        return replace(self, entries=self.entries + entries)

    def insert(self, index: int, *entries: Entry) -> "Scene":
        """Insert entries before an index; past the last entry, they go at the end."""
        return replace(self, entries=self.entries[:index] + entries + self.entries[index:])

    def move(self, index: int, to: int) -> "Scene":
        """Move an entry; `to` is its index afterwards."""
        return self.remove(index).insert(to, self.entries[index])

    def before(self, index: int) -> "Scene":
        """Keep the entries before an index."""
        return replace(self, entries=self.entries[:index])

    def revise(self, index: int, speaker: str | None, text: str) -> "Scene":
        """Replace the words of an entry; a model's entry keeps its provenance."""
        old = self.entries[index]
        new = replace(old, speaker=speaker, text=text, edited=old.take is not None)
        return replace(self, entries=(*self.entries[:index], new, *self.entries[index + 1 :]))

    def convert(self, index: int, form: EntryForm) -> "Scene":
        """Make an entry another element; where it gets a speaker, it is the nearest one.

        Raises:
            UserError: nobody speaks in the scene.
        """
        old = self.entries[index]
        speaker = None
        if form not in ("direction", "transition", "heading"):
            near = sorted(range(len(self.entries)), key=lambda each: (abs(each - index), -each))
            names = (self.entries[each].speaker for each in near)
            speaker = old.speaker or next(filter(None, names), None)
            if speaker is None:
                raise UserError("nobody speaks in this scene yet; write a speech first")
        kept = None if form == "speech" or form == "direction" else form
        new = replace(old, speaker=speaker, form=kept, edited=old.take is not None)
        return replace(self, entries=(*self.entries[:index], new, *self.entries[index + 1 :]))

    def remove(self, index: int) -> "Scene":
        """Remove an entry."""
        return replace(self, entries=self.entries[:index] + self.entries[index + 1 :])

    def without_last_take(self) -> "Scene":
        """Remove the continuation at the end, if the scene ends with one."""
        kept = len(self.entries)
        while self.last_take and kept and self.entries[kept - 1].take == self.last_take:
            kept -= 1
        return replace(self, entries=self.entries[:kept])

    def with_direction(self, direction: Direction) -> "Scene":
        """Replace the direction and keep the entries."""
        return replace(self, direction=direction)
