"""Handlers for opening the page, connecting to the server, and loading a scene."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any

import gradio as gr

from demo.generation.summary import StatusMessage
from demo.handlers.context import AppContext
from demo.scene.history import History
from demo.scene.history_log import HistoryLog, read_history_log
from demo.ui.forms import FieldValues
from demo.ui.gradio_patch import read_event
from demo.ui.script_html import render_note, render_title
from demo.ui.tab import KeptSettings, Tab
from demo.ui.view import Updates, merge_updates
from nothing_gpt.errors import UserError
from nothing_gpt.records import decode


class ConnectionHandlers:
    """Handlers for what comes before writing."""

    def __init__(self, context: AppContext) -> None:
        self.context = context

    async def open_page(self, values: FieldValues) -> AsyncGenerator[Updates]:
        """Wake the server, then list its models.

        The page asks for it when it has its scene. If it sent both events at once, Gradio could
        apply the answers in the other order, and the older message would stay.
        """
        async with aclosing(self.wake(self.context.read_tab(values), force=True)) as updates:
            async for update in updates:
                yield update
        yield await self.connect(values)

    async def wake(self, tab: Tab, *, force: bool = False) -> AsyncGenerator[Updates]:
        """Wait for a sleeping server, and show for how long.

        Args:
            force: Also call a server that has just answered.
        """
        composer = self.context.layout.composer
        async with aclosing(self.context.client.wake(force=force)) as waits:
            async for seconds in waits:
                tab.session.status = StatusMessage.waking(seconds)
                yield {
                    composer.status: render_note(tab.session.status),
                    composer.stop: gr.update(interactive=True),
                }

    async def connect(self, values: FieldValues) -> Updates:
        """List the server's models. If that fails, the room is still usable.

        The message about it is left out if there is a newer one: a writer need not wait for the
        list to continue the scene.
        """
        session = self.context.read_tab(values).session
        before = session.status

        def say(message: StatusMessage) -> None:
            if session.status is before:
                session.status = message

        try:
            session.models = await self.context.client.list_models()
        except UserError as error:
            say(StatusMessage.problem(error))
            return self._show_connected(self._with_kept_choice(values))
        values = self.with_default_model(self._with_kept_choice(values))
        model = values[self.context.layout.models.model]
        problems = [each.card_error for each in session.models if each.card_error]
        if model not in [each.name for each in session.models]:
            problems.append(f"The server does not list the model '{model}'.")
        say(StatusMessage(" ".join(problems), "problem") if problems else StatusMessage("Ready."))
        return self._show_connected(values)

    def with_default_model(self, values: FieldValues) -> FieldValues:
        """Fill in a model if the writer has not chosen one."""
        field = self.context.layout.models.model
        models = self.context.read_tab(values).session.models
        # An adapter is more likely to be wanted than the base below it.
        adapters = [each.name for each in models if each.show]
        candidates = [values[field], self.context.preferred_model, *adapters]
        names = [*candidates, *(each.name for each in models)]
        return {**values, field: next(filter(None, names), "")}

    async def choose_model(self, event: gr.EventData, values: FieldValues) -> Updates:
        """Show the chosen model, and the fields that its show and format have."""
        tab, form = self.context.read_tab(values), self.context.read_form(values)
        action = self.context.admit(event, values)
        if action is None:
            return self.context.view.show_scene(tab, form)
        try:
            self.context.save_direction(tab.session, form, action)
        except UserError as error:
            tab.session.status = StatusMessage.problem(error)
        tab.fields_shown = action.number
        return self._show_model(values)

    def _show_connected(self, values: FieldValues) -> Updates:
        """Show the model, and once the settings that the page has kept."""
        tab, shown = self.context.read_tab(values), self._show_model(values)
        if tab.kept_settings is None:
            return shown
        others = replace(tab.kept_settings, model=None)
        tab.kept_settings = None
        return merge_updates(shown, self.context.view.show_settings(others))

    def _with_kept_choice(self, values: FieldValues) -> FieldValues:
        """Fill in the model that the page has kept, if it is still there, and the show."""
        tab, fields = self.context.read_tab(values), self.context.layout.models
        kept, models = tab.kept_settings, [each.name for each in tab.session.models]
        if kept and kept.model and (kept.model in models or not models):
            values = {**values, fields.model: kept.model}
        return {**values, fields.show: kept.show} if kept and kept.show else values

    def _show_model(self, values: FieldValues) -> Updates:
        tab, form = self.context.read_tab(values), self.context.read_form(values)
        layout, view, choice = self.context.layout, self.context.view, form.choice
        names = [model.name for model in tab.session.models]
        others = [name for name in names if name != choice.model]
        about = {
            layout.models.model: gr.update(choices=names, value=choice.model or None),
            layout.models.show: gr.update(visible=not choice.has_own_show),
            layout.models.other_model: gr.update(choices=others, value=next(iter(others), None)),
            layout.title: render_title(form.show),
            layout.direction.undirected_hint: gr.update(visible=not choice.parts),
        }
        generation = view.show_generation(form, same_show=form.show == tab.show)
        tab.show = form.show
        cast, scene = view.show_cast(tab.session, form), view.show_scene(tab, form)
        return merge_updates(scene, generation, cast, about)

    async def restore_scene(self, event: gr.EventData, values: FieldValues) -> Updates:
        """Load the scene that the browser kept, or an empty one.

        A page that was open before this server started only hands its scene over: its fields
        have the newer words and are left alone.
        """
        tab, page = self.context.read_tab(values), read_event(event)
        is_resumed = page.get("resumed") is True
        if is_resumed and not tab.session.models:
            with suppress(UserError):  # the next generation asks again, and says what is wrong
                tab.session.models = await self.context.client.list_models()
        run, acted = str(page.get("run")), page.get("acted")
        try:
            history = await asyncio.to_thread(_read_kept_history, page.get("journal"))
            # The page sends it again until it is answered; actions can have followed meanwhile.
            if run != tab.page_sync.run:
                _load_history(tab, run, history, acted)
                if settings := page.get("settings"):
                    tab.kept_settings = self._read_kept_settings(settings)
        except UserError as error:
            tab.session.status = StatusMessage.problem(error)
        if tab.show:
            values = self.with_default_model(self._with_kept_choice(values))
        form, view = self.context.read_form(values), self.context.view
        shown = view.show_scene(tab, form)
        if is_resumed:
            tab.show = tab.show or form.show
            return shown
        # What was done meanwhile can have changed the fields.
        if acted != tab.page_sync.acted:
            return shown
        return merge_updates(shown, view.show_direction(tab.session, form))

    def _read_kept_settings(self, kept: Any) -> KeptSettings:
        settings = decode(KeptSettings, kept, "the kept settings")
        return settings if settings.show in self.context.shows else replace(settings, show=None)

    async def resend_scene(self, values: FieldValues) -> Updates:
        """Send everything to a page that has missed a message."""
        tab = self.context.read_tab(values)
        tab.page_sync.restart(tab.page_sync.run, None, tab.page_sync.acted)
        tab.names_shown = None
        return self.context.view.show_scene(tab, self.context.read_form(values))


def _load_history(tab: Tab, run: str, history: History, acted: object) -> None:
    session = tab.session
    session.require_idle()
    session.dismiss_candidates()
    session.history = history
    tab.page_sync.restart(run, history, acted if isinstance(acted, int) else 0)
    tab.fields_shown = 0


def _read_kept_history(kept: Any) -> History:
    if kept is None:
        return History()
    return read_history_log(decode(HistoryLog, kept, "the kept scene"))
