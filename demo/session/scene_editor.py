"""The edits that a writer makes to a scene, each one step of undo."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

from demo.generation.summary import NO_MESSAGE, StatusMessage
from demo.scene.history import Branch, History
from demo.scene.parsing import read_entries, read_entry, read_name
from demo.scene.replacement import Renaming, Substitution
from demo.scene.scene import Entry, EntryForm, Scene, SpeakerAndText
from nothing_gpt.errors import UserError
from nothing_gpt.line import collapse
from nothing_gpt.prompt import Direction
from nothing_gpt.show import Opening, Show

MAX_NAME = 80
"""Most characters of a version's name."""


@dataclass
class SceneEditor:
    """A scene with its history. Changed from one event loop only.

    An edit applies to the scene at that moment and not to an earlier copy. So neither the
    writer's edits nor the model's lines are lost when both work at the same time.

    Attributes:
        status: The message to the writer.
        shown_for_retake: The scene to show until a retake has its first line.
        finished: Set when the last generation has ended; None before the first one.
    """

    history: History = field(default_factory=History)
    status: StatusMessage = NO_MESSAGE
    shown_for_retake: Scene | None = None
    finished: asyncio.Event | None = None

    @property
    def writing(self) -> bool:
        """Whether a model is writing on this scene."""
        return self.finished is not None and not self.finished.is_set()

    @property
    def scene(self) -> Scene:
        """The scene to show: during a retake the old continuation is hidden."""
        return self.history.scene if self.shown_for_retake is None else self.shown_for_retake

    @property
    def branches(self) -> tuple[Branch, ...]:
        """All branches of the history, newest first."""
        return self.history.branches

    def set_direction(self, direction: Direction) -> None:
        """Replace the direction; a new one is one step of undo."""
        scene = self.history.scene
        if set(direction.present) == set(scene.direction.present):
            direction = replace(direction, present=scene.direction.present)
        self.history = self.history.change(scene.with_direction(direction))

    def clear_problem(self) -> None:
        """Remove the message about a problem."""
        if self.status.mood == "problem":
            self.status = NO_MESSAGE

    def write(self, show: Show, speaker: str | None, text: str) -> None:
        """Add a line at the end.

        Raises:
            UserError: it is not a valid line, or a model is writing; the scene is unchanged.
        """
        self.insert(show, len(self.history.scene.entries), speaker, text)

    def insert(self, show: Show, index: int, speaker: str | None, text: str) -> None:
        """Insert a line before the entry at an index.

        Raises:
            UserError: as `write` does.
        """
        self.require_idle()
        scene = self.history.scene
        known = {*show.names, *scene.speakers}
        entries = [_replace_alias(entry, show) for entry in read_entries(speaker, text, known)]
        place = min(max(index, 0), len(scene.entries))
        self.history = self.history.change(scene.insert(place, *entries))
        self.status = NO_MESSAGE

    def revise(self, show: Show, index: int, was: SpeakerAndText, now: SpeakerAndText) -> None:
        """Change an entry; without text it is deleted.

        Args:
            was: The words that the writer saw.

        Raises:
            UserError: the words are not valid, or the entry has changed since.
        """
        speaker, text = now
        if not text.strip():
            self.delete(index, was)
            return
        scene, place = self.history.scene, self._find(index, was)
        entry = _replace_alias(read_entry(speaker, text), show)
        if entry.words != was:
            self.history = self.history.change(scene.revise(place, entry.speaker, entry.text))
        self.status = NO_MESSAGE

    def convert(self, index: int, was: SpeakerAndText, form: EntryForm) -> None:
        """Make an entry another element of a screenplay; its words stay.

        Raises:
            UserError: the entry has changed since, nobody before or after it speaks, or a model is
                writing.
        """
        self.require_idle()
        scene, place = self.history.scene, self._find(index, was)
        self.history = self.history.change(scene.convert(place, form))
        self.status = NO_MESSAGE

    def delete(self, index: int, was: SpeakerAndText) -> None:
        """Delete an entry.

        Raises:
            UserError: the entry has changed since the writer saw it.
        """
        scene = self.history.scene.remove(self._find(index, was))
        self.history = self.history.change(scene)
        self.status = StatusMessage("The line is gone. Undo brings it back.")

    def move(self, index: int, was: SpeakerAndText, to: int) -> None:
        """Move an entry; `to` is its index afterwards.

        Raises:
            UserError: the entry has changed since the writer saw it, or a model is writing.
        """
        self.require_idle()
        scene, found = self.history.scene, self._find(index, was)
        place = min(max(to + found - index, 0), len(scene.entries) - 1)
        self.history = self.history.change(scene.move(found, place))
        self.status = NO_MESSAGE

    def substitute(self, substitution: Substitution) -> None:
        """Replace a text wherever it is in the scene: one step of undo.

        Raises:
            UserError: it is nowhere, or a model is writing.
        """
        self.require_idle()
        scene, places = substitution.apply(self.history.scene)
        if not places:
            raise UserError(f"'{substitution.find[:40]}' is nowhere in the words of this scene")
        self.history = self.history.change(scene)
        count = "1 place" if places == 1 else f"{places} places"
        self.status = StatusMessage(f"Replaced in {count}. Undo brings the old words back.")

    def rename(self, show: Show, old: str, new: str, *, in_words: bool) -> None:
        """Give a character another name in every version.

        Raises:
            UserError: the name is not valid or is another's, or a model is writing.
        """
        self.require_idle()
        typed = read_name(new)
        name = show.aliases.get(typed, typed)
        everyone = self.history.everyone
        if old not in everyone:
            raise UserError(f"{old[:40]} is not in this scene")
        if name in everyone:
            raise UserError(f"{name} is in this scene already, or in another version of it")
        renaming = Renaming(old, name, in_words)
        self.history = self.history.rewrite(renaming.change_entry, renaming.change_direction)
        self.status = StatusMessage(
            f"{old} is {name} now, in every version. Rename {name} to go back: Undo does not."
        )

    def start_from(self, opening: Opening) -> None:
        """Start a new scene with an opening of the show."""
        speakers = [line.speaker for line in opening.script]
        present = tuple(dict.fromkeys([*speakers, *opening.present]))
        direction = Direction(opening.premise, opening.setting, present)
        entries = tuple(Entry(line.text, line.speaker) for line in opening.script)
        self.history = self.history.change(Scene(entries, direction))
        self.status = StatusMessage("A beginning. Continue lets the cast go on from here.")

    def replace_scene(self, scene: Scene) -> None:
        """Replace the whole scene.

        Raises:
            UserError: a model is writing.
        """
        self.require_idle()
        self.history = self.history.change(scene)
        self.status = NO_MESSAGE

    def surprise(self, show: Show, random: Random) -> None:
        """Start a new scene with a random opening, or a random premise if there is none.

        Raises:
            UserError: the show has neither.
        """
        now = self.history.scene
        openings = [o for o in show.prompt.openings if o.script != now.lines[: len(o.lines)]]
        premises = [p for p in show.prompt.premises if p != now.direction.premise]
        if openings:
            self.start_from(random.choice(openings))
        elif premises:
            direction = replace(now.direction, premise=random.choice(premises))
            self.history = self.history.change(Scene(direction=direction))
            self.status = StatusMessage("An idea. Write the first line, then Continue.")
        else:
            raise UserError(f"{show.title} has no openings; write the first line yourself")

    def undo(self) -> None:
        """Undo one step."""
        self.history = self.history.undo()
        self.status = NO_MESSAGE

    def redo(self) -> None:
        """Redo one step."""
        self.history = self.history.redo()
        self.status = NO_MESSAGE

    def switch(self, version: int) -> None:
        """Go to another version of the scene.

        Raises:
            UserError: there is no such version, or a model is writing.
        """
        self.require_idle()
        if not 0 <= version < len(self.history.versions):
            raise UserError("that version is no longer here; choose another one")
        self.history = self.history.switch(version)
        self.status = StatusMessage("The other version. Undo goes back along its own way.")

    def bookmark(self, version: int, name: str) -> None:
        """Give a version a name, by which it is listed; an empty one takes it away.

        Raises:
            UserError: there is no such version, or a model is writing.
        """
        self.require_idle()
        if not 0 <= version < len(self.history.versions):
            raise UserError("that version is no longer here; choose another one")
        self.history = self.history.bookmark(version, collapse(name)[:MAX_NAME])
        self.status = NO_MESSAGE

    def require_idle(self) -> None:
        """Refuse an action while a model is writing.

        Raises:
            UserError: a model is writing.
        """
        if self.writing:
            raise UserError("the model is still writing; stop it first")

    def find_passage(self, index: int, was: Sequence[SpeakerAndText]) -> int:
        """Find the entries that the writer saw from an index on: earlier actions can move them.

        Without entries it is the gap before that index.

        Raises:
            UserError: the entries have changed since.
        """
        words, seen = [entry.words for entry in self.history.scene.entries], list(was)
        starts = range(len(words) - len(seen) + 1)
        found = [i for i in starts if words[i : i + len(seen)] == seen]
        if not found:
            raise UserError("that line has changed meanwhile; look at it again")
        return min(found, key=lambda each: abs(each - index))

    def _find(self, index: int, was: SpeakerAndText) -> int:
        return self.find_passage(index, [was])


def _replace_alias(entry: Entry, show: Show) -> Entry:
    name = entry.speaker
    return entry if name is None else replace(entry, speaker=show.aliases.get(name, name))
