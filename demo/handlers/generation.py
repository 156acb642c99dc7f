"""Handlers that have models write: a continuation, candidates, or two models to compare."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import gradio as gr

from demo.access.visitor import identify_visitor
from demo.generation.candidates import CandidateSet, vary_seeds
from demo.generation.request import MAX_LINES
from demo.generation.rewriting.alternatives import ALTERNATIVES, AlternativeSet
from demo.generation.stream import Progress
from demo.generation.summary import FAILED, StatusMessage
from demo.handlers.connection import ConnectionHandlers
from demo.handlers.context import AppContext
from demo.handlers.editing import EditingHandlers, read_words
from demo.session.rewriting import rewrite_passage
from demo.ui.forms import FieldValues, GenerationForm, SceneForm, read_generation_form
from demo.ui.gradio_patch import read_event
from demo.ui.page_action import PageAction
from demo.ui.tab import Tab
from demo.ui.view import Updates
from nothing_gpt.errors import UserError
from nothing_gpt.line import collapse
from nothing_gpt.show import Show

STOP_TIMEOUT = 5.0
"""Seconds that Stop waits for a generation to end."""

UpdateStream = AsyncGenerator[Updates]
GenerationSteps = (
    AsyncGenerator[Progress] | AsyncGenerator[CandidateSet] | AsyncGenerator[AlternativeSet]
)
StartGeneration = Callable[[SceneForm, GenerationForm], GenerationSteps]


class GenerationHandlers:
    """Handlers that have a model write. If Gradio cancels one, the server stops too."""

    def __init__(
        self, context: AppContext, connection: ConnectionHandlers, editing: EditingHandlers
    ) -> None:
        self.context = context
        self.connection = connection
        self.editing = editing

    async def proceed(
        self, request: gr.Request, event: gr.EventData, values: FieldValues
    ) -> UpdateStream:
        """Continue the scene."""
        async with aclosing(self._continue(request, event, values)) as updates:
            async for update in updates:
                yield update

    async def retake(
        self, request: gr.Request, event: gr.EventData, values: FieldValues
    ) -> UpdateStream:
        """Replace the last continuation, or a line and everything after it."""
        fields = read_event(event)
        line = fields if isinstance(fields.get("index"), int) else None
        retaken = self._continue(request, event, values, retake=True, line=line)
        async with aclosing(retaken) as updates:
            async for update in updates:
                yield update

    def _continue(
        self,
        request: gr.Request,
        event: gr.EventData,
        values: FieldValues,
        *,
        retake: bool = False,
        line: dict[str, Any] | None = None,
    ) -> UpdateStream:
        """Continue the scene, or retake it from the line that has the index and the words."""
        session = self.context.read_tab(values).session

        def start(scene_form: SceneForm, form: GenerationForm) -> AsyncGenerator[Progress]:
            wanted = form.make_request(scene_form.choice, self.context.random)
            from_index = None
            if line is not None:
                from_index = session.find_passage(line["index"], [read_words(line.get("was"))])
            return session.continue_scene(
                self.context.client,
                wanted,
                retake=retake and from_index is None,
                from_index=from_index,
            )

        return self._run(request, event, values, start)

    async def write_candidates(
        self, request: gr.Request, event: gr.EventData, values: FieldValues
    ) -> UpdateStream:
        """Write several candidates for the next lines."""
        session = self.context.read_tab(values).session

        def start(scene_form: SceneForm, form: GenerationForm) -> AsyncGenerator[CandidateSet]:
            wanted = form.make_request(scene_form.choice, self.context.random)
            requests = vary_seeds(wanted, form.candidates, wanted.provenance.seed)
            return session.write_candidates(self.context.client, requests)

        async with aclosing(self._run(request, event, values, start)) as updates:
            async for update in updates:
                yield update

    async def compare_models(
        self, request: gr.Request, event: gr.EventData, values: FieldValues
    ) -> UpdateStream:
        """Have two models write the same lines with the same seed."""
        session, models = self.context.read_tab(values).session, self.context.layout.models
        other_model, blind = values[models.other_model], values[models.blind]

        def start(scene_form: SceneForm, form: GenerationForm) -> AsyncGenerator[CandidateSet]:
            if not other_model or other_model == scene_form.choice.model:
                raise UserError("choose another model to compare with")
            other = self.context.read_form({**values, models.model: other_model})
            first = form.make_request(scene_form.choice, self.context.random)
            same_seed = replace(form, seed=first.provenance.seed)
            second = same_seed.make_request(other.choice, self.context.random)
            return session.write_candidates(self.context.client, (first, second), blind=blind)

        async with aclosing(self._run(request, event, values, start)) as updates:
            async for update in updates:
                yield update

    async def rewrite(
        self, request: gr.Request, event: gr.EventData, values: FieldValues
    ) -> UpdateStream:
        """Write alternatives of lines in the middle, or of what comes between two."""
        session, random = self.context.read_tab(values).session, self.context.random

        def start(scene_form: SceneForm, form: GenerationForm) -> AsyncGenerator[AlternativeSet]:
            match read_event(event):
                case {"index": int(index), "was": [*was], "lines": int(lines), **rest}:
                    guidance = collapse(str(rest.get("guidance", "")))
                    limited = replace(form, lines=min(max(lines, 1), MAX_LINES))
                    wanted = limited.make_request(scene_form.choice, random)
                    wanted = replace(wanted, guidance=guidance)
                    requests = vary_seeds(wanted, ALTERNATIVES, wanted.provenance.seed)
                    words = [read_words(each) for each in was]
                    return rewrite_passage(session, self.context.client, requests, index, words)
            raise UserError("the page did not say which line; load it anew")

        async with aclosing(self._run(request, event, values, start)) as updates:
            async for update in updates:
                yield update

    async def _run(
        self,
        request: gr.Request,
        event: gr.EventData,
        values: FieldValues,
        start: StartGeneration,
    ) -> UpdateStream:
        """Run a generation and show each step, and the result whatever it is."""
        context, tab = self.context, self.context.read_tab(values)
        # Here and not when the page is opened: a program need not open it.
        tab.session.rate_limiter = context.rate_limiter
        tab.session.visitor = identify_visitor(request)
        action, form = context.admit(event, values), context.read_form(values)
        refused = action is not None and not self._save_direction(tab, form, action)
        first = context.view.show_scene(tab, form, refused=refused)
        if action is None or refused:
            yield first
            return
        # The first update confirms the action, before anything that takes long.
        yield {**context.show_fields(tab, form, action, show_direction=False), **first}
        async with aclosing(self.connection.wake(tab)) as updates:
            async for update in updates:
                yield update
        session, view = tab.session, context.view
        if not session.models:  # the server was not there when the page was opened
            yield await self.connection.connect(values)
            values = self.connection.with_default_model(values)
        form = context.read_form(values)
        if not form.choice.model:
            return
        try:
            generated = start(form, self._read_generation_form(event, values, form.show))
            throttled = context.throttle.slow(generated)
            async with aclosing(generated), aclosing(throttled) as steps:
                await anext(steps)
                yield view.show_scene(tab, form)
                shown = session.history
                async for step in steps:
                    # The throttle drops steps, so the last one need not be the one with lines.
                    unchanged, shown = session.history is shown, session.history
                    show = view.show_growing if unchanged else view.show_script
                    yield show(tab, form, step.growing if isinstance(step, Progress) else None)
        except UserError as error:
            session.status = StatusMessage.problem(error)
        except Exception:
            session.status = FAILED
            raise
        yield view.show_scene(tab, form)

    def _read_generation_form(
        self, event: gr.EventData, values: FieldValues, show: Show
    ) -> GenerationForm:
        """Read the fields, and from the event what happened in an episode's earlier scenes."""
        before = read_event(event).get("before")
        outlines = tuple(map(str, before)) if isinstance(before, list) else ()
        form = read_generation_form(values, self.context.layout, show)
        return replace(form, before=outlines)

    def _save_direction(self, tab: Tab, form: SceneForm, action: PageAction) -> bool:
        try:
            self.context.save_direction(tab.session, form, action)
        except UserError as error:
            tab.session.status = StatusMessage.problem(error)
            return False
        return True

    async def stop(self, values: FieldValues) -> Updates:
        """Show what was kept after Gradio has cancelled the generation."""
        session = self.context.read_tab(values).session
        if session.finished is not None:
            finished = asyncio.ensure_future(session.finished.wait())
            await asyncio.wait([finished], timeout=STOP_TIMEOUT)
        if session.status.mood == "busy" and not session.writing:  # the server was still asleep
            session.status = StatusMessage("Stopped.")
        return await self.editing.refresh(values)

    async def preview(self, event: gr.EventData, values: FieldValues) -> Updates:
        """Show the payload of the next request as JSON."""
        context, tab = self.context, self.context.read_tab(values)
        action, form = context.admit(event, values), context.read_form(values)
        if action is None:
            return context.view.show_scene(tab, form)
        payload: dict[str, Any]
        try:
            context.save_direction(tab.session, form, action)
            generation_form = self._read_generation_form(event, values, form.show)
            request = generation_form.make_request(form.choice, context.random)
            payload = tab.session.preview(request)
        except UserError as error:
            payload = {"cannot": str(error)}
        text = json.dumps(payload, indent=1, ensure_ascii=False)
        return {**context.view.show_scene(tab, form), context.layout.models.payload: text}
