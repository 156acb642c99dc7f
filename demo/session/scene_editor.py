"""What a writer does to a scene, every step of it for undo."""

import asyncio
from dataclasses import dataclass, field, replace
from random import Random

from demo.generation.summary import NOTHING, StatusMessage
from demo.scene.history import Branch, History
from demo.scene.scene import Entry, Scene, SpeakerAndText, read_entries, read_entry
from nothing_gpt.errors import UserError
from nothing_gpt.prompt import Direction
from nothing_gpt.show import Opening, Show


@dataclass
class SceneEditor:
    """A writer's scene with all its versions. Changed only from one event loop.

    A change is applied to the scene as it is at that moment, never to a copy taken earlier, so
    that what the writer does while the model writes is not lost, nor what the model writes.

    Attributes:
        retaking: What is shown instead of the scene while a retake has no line yet.
        ended: Set when the model that was writing last has stopped.
    """

    history: History = field(default_factory=History)
    note: StatusMessage = NOTHING
    retaking: Scene | None = None
    ended: asyncio.Event | None = None

    @property
    def writing(self) -> bool:
        """Whether a model is writing on this scene."""
        return self.ended is not None and not self.ended.is_set()

    @property
    def scene(self) -> Scene:
        """The scene to show: without the old take while its replacement has no line yet."""
        return self.history.scene if self.retaking is None else self.retaking

    @property
    def branches(self) -> tuple[Branch, ...]:
        """Every way that the scene has gone, the newest first."""
        return self.history.branches

    def direct(self, direction: Direction) -> None:
        """Take the direction over from the page, as a step of its own if it says anything new."""
        scene = self.history.scene
        if set(direction.present) == set(scene.direction.present):
            direction = replace(direction, present=scene.direction.present)
        self.history = self.history.change(scene.directed(direction))

    def forget_problem(self) -> None:
        """Say no longer what was wrong, for instance with a name that was mended."""
        if self.note.mood == "problem":
            self.note = NOTHING

    def write(self, show: Show, speaker: str | None, text: str) -> None:
        """Add what the writer wrote at the end.

        Raises:
            UserError: it is no line, or a model is writing; the scene stays as it was.
        """
        self.insert(show, len(self.history.scene.entries), speaker, text)

    def insert(self, show: Show, index: int, speaker: str | None, text: str) -> None:
        """Add what the writer wrote before the entry at an index.

        Raises:
            UserError: as `write` does.
        """
        self.must_be_idle()
        scene = self.history.scene
        entries = [_canonical(entry, show) for entry in read_entries(speaker, text)]
        place = min(max(index, 0), len(scene.entries))
        self.history = self.history.change(scene.insert(place, *entries))
        self.note = NOTHING

    def revise(self, show: Show, index: int, was: SpeakerAndText, now: SpeakerAndText) -> None:
        """Let the writer change an entry; without words it goes.

        Raises:
            UserError: it would be no line, or is no longer what the writer saw.
        """
        speaker, text = now
        if not text.strip():
            self.delete(index, was)
            return
        scene = self._seen(index, was)
        entry = _canonical(read_entry(speaker, text), show)
        if entry.words != was:
            self.history = self.history.change(scene.revise(index, entry.speaker, entry.text))
        self.note = NOTHING

    def delete(self, index: int, was: SpeakerAndText) -> None:
        """Take an entry out.

        Raises:
            UserError: it is no longer what the writer saw.
        """
        self.history = self.history.change(self._seen(index, was).remove(index))
        self.note = StatusMessage("The line is gone. Undo brings it back.")

    def move(self, index: int, was: SpeakerAndText, to: int) -> None:
        """Take an entry elsewhere; `to` is its index afterwards.

        Raises:
            UserError: it is no longer what the writer saw, or a model is writing.
        """
        self.must_be_idle()
        scene = self._seen(index, was)
        place = min(max(to, 0), len(scene.entries) - 1)
        self.history = self.history.change(scene.move(index, place))
        self.note = NOTHING

    def open(self, opening: Opening) -> None:
        """Begin a new scene with an opening of the show's."""
        speakers = [line.speaker for line in opening.script]
        present = tuple(dict.fromkeys([*speakers, *opening.present]))
        direction = Direction(opening.premise, opening.setting, present)
        entries = tuple(Entry(line.text, line.speaker) for line in opening.script)
        self.history = self.history.change(Scene(entries, direction))
        self.note = StatusMessage("A beginning. Continue lets the cast go on from here.")

    def surprise(self, show: Show, random: Random) -> None:
        """Begin a scene that the writer did not expect: an opening, or at least a premise.

        Raises:
            UserError: the show has neither.
        """
        now = self.history.scene
        openings = [o for o in show.prompt.openings if o.script != now.lines[: len(o.lines)]]
        premises = [p for p in show.prompt.premises if p != now.direction.premise]
        if openings:
            self.open(random.choice(openings))
        elif premises:
            direction = replace(now.direction, premise=random.choice(premises))
            self.history = self.history.change(Scene(direction=direction))
            self.note = StatusMessage("An idea. Write the first line, then Continue.")
        else:
            raise UserError(f"{show.title} has no openings; write the first line yourself")

    def undo(self) -> None:
        """Go back one step."""
        self.history = self.history.undo()
        self.note = NOTHING

    def redo(self) -> None:
        """Do what was undone again."""
        self.history = self.history.redo()
        self.note = NOTHING

    def switch(self, version: int) -> None:
        """Go to another version of the scene.

        Raises:
            UserError: there is none of that number, or a model is writing.
        """
        self.must_be_idle()
        if not 0 <= version < len(self.history.versions):
            raise UserError("that version is no longer here; choose another one")
        self.history = self.history.switch(version)
        self.note = StatusMessage("The other version. Undo goes back along its own way.")

    def must_be_idle(self) -> None:
        """Refuse what cannot be done while a model is writing.

        Raises:
            UserError: one is.
        """
        if self.writing:
            raise UserError("the model is still writing; stop it first")

    def _seen(self, index: int, was: SpeakerAndText) -> Scene:
        scene = self.history.scene
        if not (0 <= index < len(scene.entries) and scene.entries[index].words == was):
            raise UserError("that line has changed meanwhile; look at it again")
        return scene


def _canonical(entry: Entry, show: Show) -> Entry:
    name = entry.speaker
    return entry if name is None else replace(entry, speaker=show.aliases.get(name, name))
