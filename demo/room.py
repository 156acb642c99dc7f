"""The room: the components of the page, and the events that connect them to their handlers."""

from collections.abc import Mapping
from typing import Any

import gradio as gr
from gradio.blocks import Block

from demo.api import add_endpoints
from demo.formats import FORMATS
from demo.generation.client import ModelClient
from demo.handlers.connection import ConnectionHandlers
from demo.handlers.context import AppContext
from demo.handlers.editing import EditingHandlers
from demo.handlers.generation import GenerationHandlers
from demo.session.rate_limit import RateLimiter, RateLimits
from demo.ui.gradio_patch import SparseBlocks
from demo.ui.layout import build_layout
from nothing_gpt.show import Show

_SAVE_FILE = """({name, text}) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type: "text/plain;charset=utf-8"}));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
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
    """

    def __init__(
        self,
        client: ModelClient,
        shows: Mapping[str, Show],
        show: str,
        model: str,
        limits: RateLimits,
    ) -> None:
        rate_limiter = RateLimiter(limits)
        with SparseBlocks(
            title="Nothing-GPT: the writers' room", analytics_enabled=False
        ) as blocks:
            formats = [(each.name, each.ending) for each in FORMATS]
            self._layout = build_layout(shows, show, model, formats)
            context = AppContext(client, shows, model, self._layout, rate_limiter)
            self._connection, self._editing = ConnectionHandlers(context), EditingHandlers(context)
            self._generation = GenerationHandlers(context, self._connection, self._editing)
            opening = self._connect_opening(blocks)
            self._connect_editing()
            self._connect_generation(opening)
            add_endpoints(client, shows, show, rate_limiter)
        self.blocks = blocks.queue(default_concurrency_limit=None, max_size=limits.queue or None)

    def _connect_opening(self, blocks: gr.Blocks) -> Any:
        layout, handlers = self._layout, self._connection
        inputs, outputs = layout.choice_inputs, layout.all_outputs
        opening = gr.on(
            [blocks.load, layout.models.reconnect.click],
            handlers.open_page,
            inputs,
            outputs,
            **_ONCE,
        )
        chosen = [layout.models.model.input, layout.models.show.input]
        gr.on(chosen, handlers.choose_model, inputs, outputs, **_MULTIPLE)
        page, outputs = layout.page, layout.direction_outputs
        page.hello(handlers.restore_scene, inputs, outputs, **_MULTIPLE)
        page.again(handlers.resend_scene, inputs, outputs, **_MULTIPLE)
        page.bring(handlers.import_file, inputs, outputs, **_MULTIPLE)
        return opening

    def _connect_editing(self) -> None:
        layout, fields, handlers = self._layout, self._layout.direction, self._editing
        inputs, outputs = layout.scene_inputs, layout.scene_outputs
        changed = [fields.premise.blur, fields.setting.blur, fields.guests.blur]
        gr.on(
            [*changed, fields.present.input], handlers.save_direction, inputs, outputs, **_MULTIPLE
        )
        idea = fields.ideas.input(
            None, fields.ideas, fields.premise, js="(idea) => idea", show_progress="hidden"
        )
        idea.then(handlers.save_direction, inputs, outputs, **_MULTIPLE)
        line = layout.composer.line.submit(**self._take_line())
        line.then(handlers.add_line, inputs | layout.line_inputs, outputs, **_MULTIPLE)
        outputs = layout.direction_outputs
        layout.page.act(handlers.apply_page_action, inputs, outputs, **_MULTIPLE)
        fields.surprise.click(handlers.surprise, inputs, outputs, **_MULTIPLE)
        layout.composer.undo.click(handlers.undo, inputs, outputs, **_MULTIPLE)
        layout.composer.redo.click(handlers.redo, inputs, outputs, **_MULTIPLE)
        file = layout.page.export(handlers.export, inputs, layout.download, **_ONCE)
        file.success(None, layout.download, js=_SAVE_FILE, show_progress="hidden")

    def _connect_generation(self, opening: Any) -> None:
        layout, handlers = self._layout, self._generation
        composer, models = layout.composer, layout.models
        inputs, outputs = layout.generation_inputs, layout.all_outputs
        compared: set[Block] = {models.other_model, models.blind}
        taken = composer.proceed.click(**self._take_line())
        running = [
            taken.then(handlers.proceed, inputs | layout.line_inputs, outputs, **_ONCE),
            composer.retake.click(handlers.retake, inputs, outputs, **_ONCE),
            layout.page.retake(handlers.retake_from, inputs, outputs, **_ONCE),
            composer.candidates.click(handlers.write_candidates, inputs, outputs, **_ONCE),
            models.compare.click(handlers.compare_models, inputs | compared, outputs, **_ONCE),
        ]
        scene_inputs, scene_outputs = layout.scene_inputs, layout.scene_outputs
        for event in running:  # after any exception the page must be usable again
            event.failure(self._editing.refresh, scene_inputs, scene_outputs, **_ONCE)
        # Two events, because in one Gradio runs the handler before it cancels.
        composer.stop.click(None, cancels=[opening, *running])
        composer.stop.click(handlers.stop, scene_inputs, scene_outputs, **_ONCE)
        layout.growing.choose(handlers.choose_candidate, scene_inputs, scene_outputs, **_MULTIPLE)
        models.preview.click(handlers.preview, inputs, models.payload, **_ONCE)

    def _take_line(self) -> dict[str, Any]:
        """Make an event that moves the composed line to a hidden field, in the browser.

        The composer is empty at once: the line is not sent twice, and what the writer types
        meanwhile is not overwritten.
        """
        return {
            "fn": None,
            "js": "(line) => ['', line]",
            "inputs": self._layout.composer.line,
            "outputs": [self._layout.composer.line, self._layout.submitted],
            "trigger_mode": "multiple",
            "show_progress": "hidden",
        }
