"""The writers' room: the components of its page joined to a writer's session."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from random import Random
from typing import Any, cast

import gradio as gr

from demo.api import add_endpoints
from demo.client import Endpoint
from demo.desk import Desk, read_desk
from demo.drawing import Drawing, Update
from demo.export import to_fountain, to_text
from demo.layout import LINES, STAGE_DIRECTION, lay_out
from demo.pacing import pace
from demo.page import render_note, render_title
from demo.request import MAX_LINES, Order
from demo.scene import Take
from demo.session import Note, Session
from nothing_gpt.errors import UserError
from nothing_gpt.show import Show

STOPPING = 5.0
"""Seconds that Stop waits for a continuation to have ended."""

_SAVE = """({name, text}) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type: "text/plain;charset=utf-8"}));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}"""


class Room:
    """A page for a server's models; `show` is for models that bring none of their own.

    Handlers get the session and the fields of the desk; Gradio runs them in one event loop.
    """

    def __init__(
        self, endpoint: Endpoint, shows: Mapping[str, Show], show: str, model: str = ""
    ) -> None:
        self.endpoint = endpoint
        self.shows = shows
        self.wanted = model
        self.random = Random()  # noqa: S311 - for surprises and the seeds of takes
        with gr.Blocks(title="Nothing-GPT: the writers' room", analytics_enabled=False) as blocks:
            self.parts = lay_out(shows, show, model)
            self.draw = Drawing(self.parts)
            self._wire(blocks)
            add_endpoints(endpoint, shows, show)
        self.blocks = blocks.queue(default_concurrency_limit=None)

    def _wire(self, blocks: gr.Blocks) -> None:
        parts, desk, view = self.parts, self.parts.desk, self.parts.view
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        # By default Gradio drops an event while the one before it is on its way: a lost edit.
        prompt = {**quiet, "trigger_mode": "multiple"}
        scene = [*parts.direction, *view]
        everything = [*parts.choice, *scene]
        came = [blocks.load, parts.reconnect.click]
        arriving = gr.on(came, self.arrive, desk, everything, **quiet)
        gr.on([parts.model.input, parts.show.input], self.choose, desk, everything, **prompt)
        typed = [parts.premise.blur, parts.setting.blur, parts.guests.blur, parts.present.input]
        gr.on(typed, self.keep, desk, view, **prompt)
        parts.page.edit(self.revise, desk, view, **prompt)
        parts.page.select(self.take_opening, desk, scene, **prompt)
        parts.surprise.click(self.surprise, desk, scene, **prompt)
        parts.start_over.click(self.start_over, desk, scene, **prompt)
        parts.undo.click(self.undo, desk, scene, **prompt)
        parts.redo.click(self.redo, desk, scene, **prompt)
        # The browser empties the field at once: nothing is sent twice, and what the writer types
        # while the line is on its way is not wiped out.
        written = [*desk, parts.speaker, parts.composed]
        ordered = [*written, parts.lines]
        taken: dict[str, Any] = {
            "fn": None,
            "js": "(line) => ['', line]",
            "inputs": parts.line,
            "outputs": [parts.line, parts.composed],
            "trigger_mode": "multiple",
            "show_progress": "hidden",
        }
        parts.line.submit(**taken).then(self.write, written, view, **prompt)
        running = [
            parts.proceed.click(**taken).then(self.proceed, ordered, everything, **quiet),
            parts.retake.click(self.retake, [*desk, parts.lines], everything, **quiet),
        ]
        for event in running:  # whatever happens, the room must not stay locked
            event.failure(self.redraw, desk, view, **quiet)
        # Two events, because Gradio would run the handler first and cancel after it.
        parts.stop.click(None, cancels=[arriving, *running])
        parts.stop.click(self.stop, desk, view, **quiet)
        saved = [
            parts.save_text.click(self.save_text, desk, parts.download, **quiet),
            parts.save_fountain.click(self.save_fountain, desk, parts.download, **quiet),
        ]
        for event in saved:
            event.success(None, parts.download, js=_SAVE, show_progress="hidden")

    async def arrive(self, session: Session, *fields: Any) -> AsyncGenerator[Update]:
        """Call the server, which may be asleep, and then ask for its models."""
        async with aclosing(self._wake(session)) as updates:
            async for update in updates:
                yield update
        yield await self.connect(session, *fields)

    async def _wake(self, session: Session) -> AsyncGenerator[Update]:
        async with aclosing(self.endpoint.wake()) as waited:
            async for seconds in waited:
                session.note = Note.waking(seconds)
                stop = gr.update(interactive=True)
                yield {self.parts.note: render_note(session.note), self.parts.stop: stop}

    async def connect(self, session: Session, *fields: Any) -> Update:
        """Ask the server for its models; without an answer the room stays open."""
        try:
            session.models = await self.endpoint.list_models()
        except UserError as error:
            session.note = Note.problem(error)
            return await self.choose(session, *fields)
        model = self._default(session, fields[0])
        notes = [each.note for each in session.models if each.note]
        if model not in [each.name for each in session.models]:
            notes.append(f"The server does not list the model '{model}'.")
        session.note = Note(" ".join(notes), "problem") if notes else Note("Ready.")
        return await self.choose(session, model, *fields[1:])

    def _default(self, session: Session, model: str | None) -> str:
        # What somebody trained is more likely meant than the base below it.
        trained = [each.name for each in session.models if each.show]
        others = [each.name for each in session.models]
        return next(filter(None, [model, self.wanted, *trained, *others]), "")

    async def choose(self, session: Session, *fields: Any) -> Update:
        """Show what the chosen model, with its show, lets a person direct."""
        desk, parts = self._desk(session, fields), self.parts
        names = [model.name for model in session.models]
        return {
            parts.model: gr.update(choices=names, value=desk.model or None),
            parts.show: gr.update(visible=not desk.bound),
            parts.title: render_title(desk.show),
            parts.undirected: gr.update(visible=not desk.carried),
            **self.draw.direction(session, desk),
            **self.draw.view(session, desk),
        }

    async def keep(self, session: Session, *fields: Any) -> Update:
        """Take the direction over, without drawing its fields under the writer's typing."""
        return self._act(session, fields, lambda _: session.forget_problem())

    async def redraw(self, session: Session, *fields: Any) -> Update:
        """Show how things stand."""
        return self.draw.view(session, self._desk(session, fields))

    async def write(self, session: Session, *fields: Any) -> Update:
        """Add the line that the writer composed; if it is none, give it back to be mended."""
        *rest, speaker, line = fields
        name = None if speaker == STAGE_DIRECTION else speaker or ""
        update = self._act(session, rest, lambda desk: session.write(desk.show, name, line))
        return {**update, self.parts.line: line} if session.note.mood == "problem" else update

    async def revise(self, event: gr.EditData, session: Session, *fields: Any) -> Update:
        """Take over what the writer changed on the page."""
        was, now = ((v["speaker"], v["text"]) for v in (event.previous_value, event.value))
        index = cast(int, event.index)
        return self._act(session, fields, lambda desk: session.revise(desk.show, index, was, now))

    async def take_opening(self, event: gr.SelectData, session: Session, *fields: Any) -> Update:
        """Begin with one of the openings on the blank page."""
        return self._act(
            session,
            fields,
            lambda desk: session.open(desk.show.prompt.openings[event.index]),
            redirect=True,
        )

    async def surprise(self, session: Session, *fields: Any) -> Update:
        """Begin with something unexpected."""
        return self._act(
            session, fields, lambda desk: session.surprise(desk.show, self.random), redirect=True
        )

    async def start_over(self, session: Session, *fields: Any) -> Update:
        """Begin with a blank page."""
        return self._act(session, fields, lambda _: session.start_over(), redirect=True)

    async def undo(self, session: Session, *fields: Any) -> Update:
        """Go back one step."""
        return self._act(session, fields, lambda _: session.undo(), redirect=True)

    async def redo(self, session: Session, *fields: Any) -> Update:
        """Go forward one step again."""
        return self._act(session, fields, lambda _: session.redo(), redirect=True)

    async def proceed(self, session: Session, *fields: Any) -> AsyncGenerator[Update]:
        """Add the line that the writer may have composed, then have the model write on."""
        *rest, speaker, line, lines = fields
        if line.strip():
            yield await self.write(session, *rest, speaker, line)
            if session.note.mood == "problem":
                return
        async with aclosing(self._run(session, rest, lines, retake=False)) as updates:
            async for update in updates:
                yield update

    async def retake(self, session: Session, *fields: Any) -> AsyncGenerator[Update]:
        """Have the last continuation written again."""
        *rest, lines = fields
        async with aclosing(self._run(session, rest, lines, retake=True)) as updates:
            async for update in updates:
                yield update

    async def _run(
        self, session: Session, fields: list[Any], lines: int, *, retake: bool
    ) -> AsyncGenerator[Update]:
        async with aclosing(self._wake(session)) as updates:
            async for update in updates:
                yield update
        if not session.models:  # the server was away when the page opened
            yield await self.connect(session, *fields)
            fields = [self._default(session, fields[0]), *fields[1:]]
        desk = self._desk(session, fields)
        if not desk.model:
            return
        try:
            session.direct(desk.direct(session.history.scene.direction))
            take = Take(desk.model, self.random.getrandbits(31))
            wanted = min(max(int(lines or LINES), 1), MAX_LINES)
            order = Order(desk.show, desk.format, take, wanted)
            scene = session.continue_scene(self.endpoint, order, retake=retake)
            async with aclosing(scene), aclosing(pace(scene)) as steps:
                await anext(steps)
                yield self.draw.view(session, desk)
                async for step in steps:
                    draw = self.draw.script if step.lines else self.draw.growing
                    yield draw(session, desk, step.growing)
        except UserError as error:
            session.note = Note.problem(error)
        yield self.draw.view(session, desk)

    async def stop(self, session: Session, *fields: Any) -> Update:
        """Show what stays when Gradio has cancelled the continuation."""
        if session.ended is not None:
            ended = asyncio.ensure_future(session.ended.wait())
            await asyncio.wait([ended], timeout=STOPPING)
        if session.note.mood == "busy" and not session.writing:  # it slept still
            session.note = Note("Stopped.")
        return await self.redraw(session, *fields)

    async def save_text(self, session: Session, *fields: Any) -> dict[str, str]:
        """Give the scene as plain text."""
        return self._save(session, fields, to_text, "txt")

    async def save_fountain(self, session: Session, *fields: Any) -> dict[str, str]:
        """Give the scene as Fountain."""
        return self._save(session, fields, to_fountain, "fountain")

    def _save(
        self, session: Session, fields: Any, export: Callable[..., str], ending: str
    ) -> dict[str, str]:
        show = self._desk(session, fields).show
        return {"name": f"{show.name}.{ending}", "text": export(session.scene, show.title)}

    def _desk(self, session: Session, fields: Any) -> Desk:
        return read_desk(session.models, self.shows, *fields)

    def _act(
        self,
        session: Session,
        fields: Any,
        change: Callable[[Desk], None],
        *,
        redirect: bool = False,
    ) -> Update:
        """Take the direction over, make a change, and show what came of it.

        After a redirecting change the fields of the direction show the scene's own.
        """
        desk = self._desk(session, fields)
        try:
            session.direct(desk.direct(session.history.scene.direction))
            change(desk)
        except UserError as error:
            session.note = Note.problem(error)
            return self.draw.view(session, desk)
        directed = self.draw.direction(session, desk) if redirect else {}
        return {**directed, **self.draw.view(session, desk)}
