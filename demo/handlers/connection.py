"""Coming into the room: waking the server, choosing a model, and bringing a kept scene along."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import gradio as gr

from demo.formats import import_scene
from demo.handlers.context import AppContext
from demo.scene.history import History
from demo.scene.history_deltas import HistoryLog, read_history_log
from demo.session.session import StatusMessage
from demo.ui.script_html import render_note, render_title
from demo.ui.tab import Tab
from demo.ui.view import Updates
from nothing_gpt.errors import UserError
from nothing_gpt.records import decode


class ConnectionHandlers:
    """Handlers for what comes before writing."""

    def __init__(self, floor: AppContext) -> None:
        self.floor = floor

    async def arrive(
        self, request: gr.Request, visit: Tab, *fields: Any
    ) -> AsyncGenerator[Updates]:
        """Call the server, which may be asleep, and then ask for its models."""
        visit.session.meter, visit.session.visitor = self.floor.meter, name_visitor(request)
        async with aclosing(self.wake(visit, anyway=True)) as updates:
            async for update in updates:
                yield update
        yield await self.connect(visit, *fields)

    async def wake(self, visit: Tab, *, anyway: bool = False) -> AsyncGenerator[Updates]:
        """Wait for a server that is asleep, and say how long already.

        One that has just written is taken to be awake, unless it is called `anyway`.
        """
        dock = self.floor.parts.dock
        async with aclosing(self.floor.endpoint.wake(anyway=anyway)) as waited:
            async for seconds in waited:
                visit.session.note = StatusMessage.waking(seconds)
                stop = gr.update(interactive=True)
                yield {dock.note: render_note(visit.session.note), dock.stop: stop}

    async def connect(self, visit: Tab, *fields: Any) -> Updates:
        """Ask the server for its models; without an answer the room stays open."""
        session = visit.session
        try:
            session.models = await self.floor.endpoint.list_models()
        except UserError as error:
            session.note = StatusMessage.problem(error)
            return await self.choose(visit, *fields[:2])
        model = self.default(visit, fields[0])
        notes = [each.note for each in session.models if each.note]
        if model not in [each.name for each in session.models]:
            notes.append(f"The server does not list the model '{model}'.")
        session.note = (
            StatusMessage(" ".join(notes), "problem") if notes else StatusMessage("Ready.")
        )
        return await self.choose(visit, model, fields[1])

    def default(self, visit: Tab, model: str | None) -> str:
        """Choose a model for a writer who has not."""
        # What somebody trained is more likely meant than the base below it.
        trained = [each.name for each in visit.session.models if each.show]
        others = [each.name for each in visit.session.models]
        return next(filter(None, [model, self.floor.wanted, *trained, *others]), "")

    async def choose(self, visit: Tab, *fields: Any) -> Updates:
        """Show what the chosen model, with its show, lets a person direct."""
        desk, parts, draw = self.floor.desk(visit, fields), self.floor.parts, self.floor.draw
        names = [model.name for model in visit.session.models]
        others = [name for name in names if name != desk.model]
        return {
            parts.models.model: gr.update(choices=names, value=desk.model or None),
            parts.models.show: gr.update(visible=not desk.bound),
            parts.models.rival: gr.update(choices=others, value=next(iter(others), None)),
            parts.title: render_title(desk.show),
            parts.direction.undirected: gr.update(visible=not desk.carried),
            **draw.brief(visit.session, desk),
            **draw.direction(visit.session, desk),
            **draw.view(visit, desk),
        }

    async def greet(self, event: gr.EventData, visit: Tab, *fields: Any) -> Updates:
        """Take over the scene that the browser kept, or a blank one."""
        desk = self.floor.desk(visit, fields)
        try:
            kept = event.journal
            journal = HistoryLog() if kept is None else decode(HistoryLog, kept, "the kept scene")
            self._begin(visit, str(event.run), read_history_log(journal), known=True)
        except UserError as error:
            visit.session.note = StatusMessage.problem(error)
        directed = self.floor.draw.direction(visit.session, desk)
        return {**directed, **self.floor.draw.view(visit, desk)}

    async def again(self, visit: Tab, *fields: Any) -> Updates:
        """Tell a page that has missed something everything."""
        visit.sheet.begin(visit.sheet.run, None)
        return self.floor.draw.view(visit, self.floor.desk(visit, fields))

    async def bring(self, event: gr.EventData, visit: Tab, *fields: Any) -> Updates:
        """Begin a new scene with a script that the writer brings along."""
        desk = self.floor.desk(visit, fields)
        name = str(event.name)
        try:
            scene = import_scene(name.rpartition(".")[2].lower(), str(event.text))
            self._begin(visit, str(event.run), History().change(scene), known=False)
            count = len(scene.entries)
            visit.session.note = StatusMessage(
                f"{name}: {count} {'line' if count == 1 else 'lines'}."
            )
        except UserError as error:
            visit.session.note = StatusMessage.problem(error)
        directed = self.floor.draw.direction(visit.session, desk)
        return {**directed, **self.floor.draw.view(visit, desk)}

    def _begin(self, visit: Tab, run: str, history: History, *, known: bool) -> None:
        if visit.session.writing:
            raise UserError("the model is still writing; stop it first")
        if visit.session.takes is not None:
            visit.session.put_takes_away()
        visit.session.history = history
        visit.sheet.begin(run, history if known else None)


def name_visitor(request: gr.Request) -> str:
    """Tell visitors apart for the limits: by the address that their page comes from."""
    # A login is shared by all who know it, and a header for proxies can hold anything.
    return str(request.client.host) if request.client else ""
