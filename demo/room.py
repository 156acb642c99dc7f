"""The room: the components of the page, and the events that connect them to their handlers."""

import json
from collections.abc import Mapping
from typing import Any

import gradio as gr
from gradio.blocks import Block

from demo.api import add_endpoints
from demo.controller.client import ControllerClient
from demo.formats import FORMATS
from demo.generation.client import ModelClient
from demo.handlers.connection import ConnectionHandlers
from demo.handlers.context import AppContext
from demo.handlers.editing import EditingHandlers
from demo.handlers.generation import GenerationHandlers
from demo.handlers.new_show import NewShowHandlers
from demo.session.rate_limit import RateLimiter, RateLimits
from demo.ui.gradio_patch import SparseBlocks
from demo.ui.layout import build_layout
from nothing_gpt.show import Show

_SAVE_FILE = """(file) => {
  if (!file) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([file.text], {type: "text/plain;charset=utf-8"}));
  link.download = file.name;
  link.click();
  URL.revokeObjectURL(link.href);
}"""

# The page's own script takes every action on a scene (demo/static/writer_actions.js) and keeps it
# until the server has confirmed it: Gradio drops all events once the connection was lost. Only
# the choices of Gradio's lists reach it from here.
_TELL_PAGE = """(value) => {
  document.dispatchEvent(new CustomEvent("room:chosen", {detail: "KIND"}));
  return value;
}"""

_TELL_SETTINGS = """(...values) => {
  const detail = Object.fromEntries(NAMES.map((name, i) => [name, values[i]]));
  document.dispatchEvent(new CustomEvent("room:settings", {detail}));
}"""

# The page takes the handlers' values as they are. With `postprocess`, Gradio would pass each
# value through a thread first.
_ONCE: dict[str, Any] = {
    "show_progress": "hidden",
    "api_visibility": "private",
    "postprocess": False,
}
# By default Gradio drops an event while the one before it is running, and an edit would be lost.
_MULTIPLE: dict[str, Any] = {**_ONCE, "trigger_mode": "multiple"}


class Room:
    """The page and API for a server's models.

    Args:
        show: The show for a model that does not bring its own.
        model: The model to begin with; empty for the server's first adapter.
        controller: Makes new shows; or else why there is none, to be shown.
    """

    def __init__(
        self,
        client: ModelClient,
        shows: Mapping[str, Show],
        show: str,
        model: str,
        limits: RateLimits,
        controller: ControllerClient | str,
    ) -> None:
        rate_limiter = RateLimiter(limits)
        with SparseBlocks(
            title="Nothing-GPT: the writers' room", analytics_enabled=False
        ) as blocks:
            formats = [(each.name, each.ending, bool(each.write_episode)) for each in FORMATS]
            closed = controller if isinstance(controller, str) else ""
            self._layout = build_layout(shows, show, model, formats, closed)
            context = AppContext(client, shows, model, self._layout, rate_limiter)
            self._connection, self._editing = ConnectionHandlers(context), EditingHandlers(context)
            self._generation = GenerationHandlers(context, self._connection, self._editing)
            openings = self._connect_opening()
            self._connect_editing()
            self._connect_generation(openings)
            if not isinstance(controller, str):
                self._connect_new_show(
                    NewShowHandlers(controller, client, self._layout, self._connection)
                )
            add_endpoints(client, shows, show, rate_limiter)
        self.blocks = blocks.queue(default_concurrency_limit=None, max_size=limits.queue or None)

    def _connect_opening(self) -> list[Any]:
        layout, handlers = self._layout, self._connection
        inputs, outputs = layout.choice_inputs, layout.all_outputs
        page = layout.page
        openings = [
            page.connect(handlers.open_page, inputs, outputs, **_ONCE),
            layout.models.reconnect.click(handlers.open_page, inputs, outputs, **_ONCE),
        ]
        page.hello(handlers.restore_scene, inputs, outputs, **_MULTIPLE)
        page.again(handlers.resend_scene, inputs, layout.direction_outputs, **_MULTIPLE)
        page.model(handlers.choose_model, inputs, layout.all_outputs, **_MULTIPLE)
        settings = layout.settings
        gr.on(
            [field.change for field in settings.values()],
            None,
            list(settings.values()),
            None,
            js=_TELL_SETTINGS.replace("NAMES", json.dumps(list(settings))),
            show_progress="hidden",
        )
        for field in (layout.models.model, layout.models.show):
            field.input(
                None, None, None, js=_TELL_PAGE.replace("KIND", "model"), show_progress="hidden"
            )
        return openings

    def _connect_new_show(self, handlers: NewShowHandlers) -> None:
        layout = self._layout
        layout.new_show.ask(handlers.ask, None, [layout.new_show], **_MULTIPLE)
        layout.new_show.write(
            handlers.write, layout.choice_inputs, layout.all_outputs, **_MULTIPLE
        )

    def _connect_editing(self) -> None:
        layout, fields, handlers = self._layout, self._layout.direction, self._editing
        inputs, outputs = layout.choice_inputs, layout.direction_outputs
        idea = fields.ideas.input(
            None, fields.ideas, fields.premise, js="(idea) => idea", show_progress="hidden"
        )
        idea.then(None, None, None, js=_TELL_PAGE.replace("KIND", "idea"), show_progress="hidden")
        act = layout.page.act(handlers.apply_page_action, inputs, outputs, **_MULTIPLE)
        act.failure(handlers.refresh, inputs, layout.scene_outputs, **_ONCE)
        shown = [*layout.scene_outputs, layout.download]
        file = layout.page.export(handlers.export, inputs, shown, **_MULTIPLE)
        file.success(None, layout.download, js=_SAVE_FILE, show_progress="hidden")

    def _connect_generation(self, openings: list[Any]) -> None:
        layout, handlers, page = self._layout, self._generation, self._layout.page
        composer, models = layout.composer, layout.models
        inputs, outputs = layout.generation_inputs, layout.all_outputs
        compared: set[Block] = {models.other_model, models.blind}
        running = [
            page.proceed(handlers.proceed, inputs, outputs, **_MULTIPLE),
            page.retake(handlers.retake, inputs, outputs, **_MULTIPLE),
            page.candidates(handlers.write_candidates, inputs, outputs, **_MULTIPLE),
            page.rewrite(handlers.rewrite, inputs, outputs, **_MULTIPLE),
            page.compare(handlers.compare_models, inputs | compared, outputs, **_MULTIPLE),
        ]
        scene_inputs, scene_outputs = layout.choice_inputs, layout.scene_outputs
        for event in running:  # after any exception the page must be usable again
            event.failure(self._editing.refresh, scene_inputs, scene_outputs, **_ONCE)
        # Two events, because in one Gradio runs the handler before it cancels.
        composer.stop.click(None, cancels=[*openings, *running])
        composer.stop.click(handlers.stop, scene_inputs, scene_outputs, **_ONCE)
        page.preview(handlers.preview, inputs, [*scene_outputs, models.payload], **_MULTIPLE)
