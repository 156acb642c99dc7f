"""Having models write: one continuation, takes side by side, two models side by side."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import gradio as gr

from demo.generation.candidates import CandidateSet, vary_seeds
from demo.generation.client import Progress
from demo.handlers.connection import ConnectionHandlers
from demo.handlers.context import AppContext
from demo.handlers.editing import EditingHandlers
from demo.session.session import StatusMessage
from demo.ui.generation_form import GenerationForm, read_generation_form
from demo.ui.scene_form import SceneForm
from demo.ui.tab import Tab
from demo.ui.view import Updates
from nothing_gpt.errors import UserError

STOPPING = 5.0
"""Seconds that Stop waits for a continuation to have ended."""

FAILED = StatusMessage("Something went wrong in the room itself; the scene is kept.", "problem")

DESK = 6
"""Fields of the desk, which stand before those of the brief."""

UpdateStream = AsyncGenerator[Updates]

Begin = Callable[
    [SceneForm, GenerationForm], AsyncGenerator[Progress] | AsyncGenerator[CandidateSet]
]
"""Begins what is to be written, by the fields of the page."""


class GenerationHandlers:
    """Handlers that have a model write; Gradio cancels them, which stops the server too."""

    def __init__(
        self, floor: AppContext, arrivals: ConnectionHandlers, edits: EditingHandlers
    ) -> None:
        self.floor = floor
        self.arrivals = arrivals
        self.edits = edits

    async def proceed(self, visit: Tab, *fields: Any) -> UpdateStream:
        """Add the line that the writer may have composed, then have the model write on."""
        *rest, speaker, line = fields
        if line.strip():
            yield await self.edits.write(visit, *rest[:DESK], speaker, line)
            if visit.session.note.mood == "problem":
                return
        async with aclosing(self._continue(visit, rest)) as updates:
            async for update in updates:
                yield update

    async def retake(self, visit: Tab, *fields: Any) -> UpdateStream:
        """Have the last continuation written again."""
        async with aclosing(self._continue(visit, list(fields), retake=True)) as updates:
            async for update in updates:
                yield update

    async def retake_from(self, event: gr.EventData, visit: Tab, *fields: Any) -> UpdateStream:
        """Have everything from a line on written anew."""
        since = int(event.index)
        async with aclosing(self._continue(visit, list(fields), since=since)) as updates:
            async for update in updates:
                yield update

    def _continue(
        self, visit: Tab, fields: list[Any], *, retake: bool = False, since: int | None = None
    ) -> UpdateStream:
        session, endpoint = visit.session, self.floor.endpoint

        def begin(desk: SceneForm, brief: GenerationForm) -> AsyncGenerator[Progress]:
            order = brief.order(desk, session.models, self.floor.random)
            return session.continue_scene(endpoint, order, retake=retake, since=since)

        return self._run(visit, fields, begin)

    async def takes(self, visit: Tab, *fields: Any) -> UpdateStream:
        """Have several takes of the same lines written side by side."""
        session = visit.session

        def begin(desk: SceneForm, brief: GenerationForm) -> AsyncGenerator[CandidateSet]:
            order = brief.order(desk, session.models, self.floor.random)
            orders = vary_seeds(order, brief.takes, order.take.seed)
            return session.write_takes(self.floor.endpoint, orders)

        async with aclosing(self._run(visit, list(fields), begin)) as updates:
            async for update in updates:
                yield update

    async def compare(self, visit: Tab, *fields: Any) -> UpdateStream:
        """Have two models write the same lines side by side."""
        *rest, rival, blind = fields
        session = visit.session

        def begin(desk: SceneForm, brief: GenerationForm) -> AsyncGenerator[CandidateSet]:
            if not rival or rival == desk.model:
                raise UserError("choose another model to compare with")
            other = self.floor.desk(visit, [rival, *rest[1:DESK]])
            first = brief.order(desk, session.models, self.floor.random)
            same = replace(brief, seed=first.take.seed)
            second = same.order(other, session.models, self.floor.random)
            return session.write_takes(self.floor.endpoint, (first, second), blind=blind)

        async with aclosing(self._run(visit, rest, begin)) as updates:
            async for update in updates:
                yield update

    async def _ready(self, visit: Tab, fields: list[Any]) -> UpdateStream:
        """Wake the server; in the end the first field is a model that it has."""
        async with aclosing(self.arrivals.wake(visit)) as updates:
            async for update in updates:
                yield update
        if not visit.session.models:  # the server was away when the page opened
            yield await self.arrivals.connect(visit, *fields[:DESK])
            fields[0] = self.arrivals.default(visit, fields[0])

    async def _run(self, visit: Tab, fields: list[Any], begin: Begin) -> UpdateStream:
        """Have written what `begin` begins, and show every step of it, whatever becomes of it."""
        async with aclosing(self._ready(visit, fields)) as updates:
            async for update in updates:
                yield update
        session, draw = visit.session, self.floor.draw
        desk = self.floor.desk(visit, fields[:DESK])
        if not desk.model:
            return
        try:
            session.direct(desk.direct(session.history.scene.direction))
            written = begin(desk, read_generation_form(desk, *fields[DESK:]))
            paced = self.floor.pace.slow(written)
            async with aclosing(written), aclosing(paced) as steps:
                await anext(steps)
                yield draw.view(visit, desk)
                drawn = session.history
                async for step in steps:
                    # Of several steps the latest alone comes, and need not be the one with lines.
                    draws = draw.growing if session.history is drawn else draw.script
                    drawn = session.history
                    yield draws(visit, desk, step.growing if isinstance(step, Progress) else None)
        except UserError as error:
            session.note = StatusMessage.problem(error)
        except Exception:
            session.note = FAILED
            raise
        yield draw.view(visit, desk)

    async def choose_take(self, event: gr.EventData, visit: Tab, *fields: Any) -> Updates:
        """Go on with one of the takes, or with none."""
        session, index = visit.session, int(event.index)

        def choose(_: SceneForm) -> None:
            if index >= 0:
                session.choose_take(index)
            session.put_takes_away()

        return self.floor.act(visit, fields, choose)

    async def stop(self, visit: Tab, *fields: Any) -> Updates:
        """Show what stays when Gradio has cancelled the continuation."""
        session = visit.session
        if session.ended is not None:
            ended = asyncio.ensure_future(session.ended.wait())
            await asyncio.wait([ended], timeout=STOPPING)
        if session.note.mood == "busy" and not session.writing:  # it slept still
            session.note = StatusMessage("Stopped.")
        return await self.edits.redraw(visit, *fields)

    async def preview(self, visit: Tab, *fields: Any) -> str:
        """Tell what the next request would hold, to the letter."""
        desk = self.floor.desk(visit, fields[:DESK])
        try:
            visit.session.direct(desk.direct(visit.session.history.scene.direction))
            brief = read_generation_form(desk, *fields[DESK:])
            order = brief.order(desk, visit.session.models, self.floor.random)
            request = visit.session.preview(order)
        except UserError as error:
            return json.dumps({"cannot": str(error)}, indent=1, ensure_ascii=False)
        return json.dumps(request, indent=1, ensure_ascii=False)
