"""One writer's visit: the scene with its history, and the model that may be writing on it.

Without Gradio, so that whatever shows it only calls these methods and draws what they left.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from random import Random
from typing import Literal

from demo.client import Ending, Endpoint, Model, Progress
from demo.history import History
from demo.request import Order, build_request
from demo.scene import Entry, Scene, Words, read_entries, read_entry
from nothing_gpt.errors import UserError
from nothing_gpt.prompt import Direction
from nothing_gpt.show import Opening, Show


@dataclass(frozen=True, slots=True)
class Note:
    """What the room says to the writer, and how it means it."""

    text: str
    mood: Literal["calm", "busy", "problem"] = "calm"

    @classmethod
    def problem(cls, error: UserError, kept: str = "") -> "Note":
        """Say what went wrong, after what was kept."""
        text = str(error)
        return cls(f"{kept} {text[:1].upper()}{text[1:]}.".strip(), "problem")

    @classmethod
    def waking(cls, seconds: float) -> "Note":
        """Say that the server is being waited for, and how long that mostly takes."""
        return cls(
            f"Waiting for the server, {seconds:.0f} s so far. A GPU that was asleep is starting; "
            "usually 60-120 s.",
            "busy",
        )


@dataclass
class Session:
    """Everything that belongs to one browser tab. Changed only from one event loop.

    A change is applied to the scene as it is at that moment, never to a copy taken earlier, so
    that what the writer does while the model writes is not lost, nor what the model writes.
    """

    history: History = field(default_factory=History)
    models: tuple[Model, ...] = ()
    note: Note = Note("")
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

    def direct(self, direction: Direction) -> None:
        """Take the direction over from the page, as a step of its own if it says anything new."""
        scene = self.history.scene
        if set(direction.present) == set(scene.direction.present):
            direction = replace(direction, present=scene.direction.present)
        self.history = self.history.change(scene.directed(direction))

    def forget_problem(self) -> None:
        """Say no longer what was wrong, for instance with a name that was mended."""
        if self.note.mood == "problem":
            self.note = Note("")

    def write(self, show: Show, speaker: str | None, text: str) -> None:
        """Add what the writer wrote.

        Raises:
            UserError: it is no line, or a model is writing; the scene stays as it was.
        """
        self._must_be_idle()
        entries = (_canonical(entry, show) for entry in read_entries(speaker, text))
        self.history = self.history.change(self.history.scene.append(*entries))
        self.note = Note("")

    def revise(self, show: Show, index: int, was: Words, now: Words) -> None:
        """Let the writer change an entry; without words it goes.

        Raises:
            UserError: it would be no line, or is no longer what the writer saw.
        """
        scene = self.history.scene
        if not (0 <= index < len(scene.entries) and scene.entries[index].words == was):
            raise UserError("that line has changed meanwhile; look at it again")
        speaker, text = now
        if not text.strip():
            self.history = self.history.change(scene.remove(index))
            self.note = Note("The line is gone. Undo brings it back.")
            return
        entry = _canonical(read_entry(speaker, text), show)
        self.history = self.history.change(scene.revise(index, entry.speaker, entry.text))
        self.note = Note("")

    def open(self, opening: Opening) -> None:
        """Begin a new scene with an opening of the show's."""
        speakers = [line.speaker for line in opening.script]
        present = tuple(dict.fromkeys([*speakers, *opening.present]))
        direction = Direction(opening.premise, opening.setting, present)
        entries = tuple(Entry(line.text, line.speaker) for line in opening.script)
        self.history = self.history.change(Scene(entries, direction))
        self.note = Note("A beginning. Continue lets the cast go on from here.")

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
            self.note = Note("An idea. Write the first line, then Continue.")
        else:
            raise UserError(f"{show.title} has no openings; write the first line yourself")

    def start_over(self) -> None:
        """Begin with a blank page."""
        self.history = self.history.change(Scene())
        self.note = Note("A blank page. Undo brings the scene back.")

    def undo(self) -> None:
        """Go back one step."""
        self.history = self.history.undo()
        self.note = Note("")

    def redo(self) -> None:
        """Do what was undone again."""
        self.history = self.history.redo()
        self.note = Note("")

    async def continue_scene(
        self, endpoint: Endpoint, order: Order, *, retake: bool = False
    ) -> AsyncGenerator[Progress]:
        """Have a model write on, and take its lines in as they come.

        What goes wrong on the way is said in `note`; finished lines stay, and one undo takes
        the whole continuation back. A retake's old lines stay until there is a new one.

        Raises:
            UserError: there is nothing to continue or to retake, or a model is writing already.
        """
        start = self._beginning(retake=retake)
        self.ended = asyncio.Event()
        self.retaking = start if retake else None
        self.note = Note(f"{order.take.model} is writing ...", "busy")
        count, step = 0, Progress()
        try:
            yield step
            request = build_request(order, start)
            async with aclosing(endpoint.stream_lines(request, order.lines)) as steps:
                async for step in steps:
                    for line in step.lines:
                        self._take_in(Entry(line.text, line.speaker, order.take))
                        count += 1
                    if not step.ending:
                        yield step
            self.note = Note(_sum_up(step.ending or "finished", count, order, step.dropped))
        except UserError as error:
            self.note = Note.problem(error, _kept(count) if count else "")
        except (asyncio.CancelledError, GeneratorExit):
            self.note = Note(f"Stopped. {_kept(count)}{_dropped(step.dropped)}")
            raise
        except Exception:
            self.note = Note(
                "Something went wrong in the room itself; the scene is kept.", "problem"
            )
            raise
        finally:
            self.retaking = None
            self.ended.set()

    def _beginning(self, *, retake: bool) -> Scene:
        self._must_be_idle()
        scene = self.history.scene
        if retake and not scene.last_take:
            raise UserError("the scene does not end with a model's lines; Continue writes some")
        start = scene.without_last_take() if retake else scene
        if not start.lines:
            raise UserError(
                "the page has no line to go on from; write the first one, or take an opening"
            )
        return start

    def _must_be_idle(self) -> None:
        if self.writing:
            raise UserError("the model is still writing; stop it first")

    def _take_in(self, entry: Entry) -> None:
        if self.retaking is None:
            self.history = self.history.extend(entry)
        else:
            scene = self.history.scene.without_last_take().append(entry)
            self.history = self.history.change(scene, entry.take)
            self.retaking = None


def _canonical(entry: Entry, show: Show) -> Entry:
    name = entry.speaker
    return entry if name is None else replace(entry, speaker=show.aliases.get(name, name))


def _sum_up(ending: Ending, count: int, order: Order, dropped: int) -> str:
    lines, model = _lines(count), order.take.model
    said = {
        "enough": f"{lines} by {model}.",
        "finished": f"{model} ended the scene after {lines} of {order.lines}. Continue asks on.",
        "cut": f"{lines}; the next one ran too long for {model} and was left out.",
    }
    return said[ending] + _dropped(dropped)


def _kept(count: int) -> str:
    return f"{_lines(count)} kept."


def _dropped(count: int) -> str:
    if not count:
        return ""
    what = "piece of text that was no line" if count == 1 else "pieces of text that were no lines"
    return f" {count} {what} left out."


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count or 'No'} lines"
