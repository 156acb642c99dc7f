"""The writers' room: the components of its page joined to a writer's session."""

from collections.abc import Mapping
from typing import Any

import gradio as gr

from demo.api import add_endpoints
from demo.formats import FORMATS
from demo.generation.client import ModelClient
from demo.handlers.connection import ConnectionHandlers
from demo.handlers.context import AppContext
from demo.handlers.editing import EditingHandlers
from demo.handlers.generation import GenerationHandlers
from demo.session.rate_limit import RateLimiter, RateLimits
from demo.ui.gradio_patch import SparseBlocks
from demo.ui.layout import lay_out
from nothing_gpt.show import Show

_SAVE = """({name, text}) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type: "text/plain;charset=utf-8"}));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}"""

UNLIMITED = RateLimits()

# What the handlers give, the page takes as it is: Gradio would hand each value to a thread first.
_QUIET: dict[str, Any] = {
    "show_progress": "hidden",
    "api_visibility": "private",
    "postprocess": False,
}
# By default Gradio drops an event while the one before it is on its way: a lost edit.
_PROMPT: dict[str, Any] = {**_QUIET, "trigger_mode": "multiple"}


class Room:
    """A page for a server's models; `show` is for models that bring none of their own."""

    def __init__(
        self,
        endpoint: ModelClient,
        shows: Mapping[str, Show],
        show: str,
        model: str = "",
        limits: RateLimits = UNLIMITED,
    ) -> None:
        with SparseBlocks(
            title="Nothing-GPT: the writers' room", analytics_enabled=False
        ) as blocks:
            endings = [(each.name, each.ending) for each in FORMATS]
            self.parts = lay_out(shows, show, model, endings)
            floor = AppContext(endpoint, shows, model, self.parts, RateLimiter(limits))
            self.arrivals, self.edits = ConnectionHandlers(floor), EditingHandlers(floor)
            self.writing = GenerationHandlers(floor, self.arrivals, self.edits)
            arriving = self._wire_arrivals(blocks)
            self._wire_edits()
            self._wire_writing(arriving)
            add_endpoints(endpoint, shows, show, floor.meter)
        self.blocks = blocks.queue(default_concurrency_limit=None, max_size=limits.queue or None)

    def _wire_arrivals(self, blocks: gr.Blocks) -> Any:
        parts, chosen, arrivals = self.parts, self.parts.chosen, self.arrivals
        everything = [*parts.choice, *parts.told, *parts.view]
        came = [blocks.load, parts.models.reconnect.click]
        arriving = gr.on(came, arrivals.arrive, chosen, everything, **_QUIET)
        picked = [parts.models.model.input, parts.models.show.input]
        gr.on(picked, arrivals.choose, chosen, everything, **_PROMPT)
        scene = [*parts.told, *parts.view]
        parts.page.hello(arrivals.greet, chosen, scene, **_PROMPT)
        parts.page.again(arrivals.again, chosen, scene, **_PROMPT)
        parts.page.bring(arrivals.bring, chosen, scene, **_PROMPT)
        return arriving

    def _wire_edits(self) -> None:
        parts, desk, view, edits = self.parts, self.parts.desk, self.parts.view, self.edits
        scene, direction = [*parts.told, *view], parts.direction
        typed = [direction.premise.blur, direction.setting.blur, direction.guests.blur]
        gr.on([*typed, direction.present.input], edits.keep, desk, view, **_PROMPT)
        taken = direction.ideas.input(
            None, direction.ideas, direction.premise, js="(idea) => idea", show_progress="hidden"
        )
        taken.then(edits.keep, desk, view, **_PROMPT)
        parts.page.act(edits.act, desk, scene, **_PROMPT)
        direction.surprise.click(edits.surprise, desk, scene, **_PROMPT)
        parts.dock.undo.click(edits.undo, desk, scene, **_PROMPT)
        parts.dock.redo.click(edits.redo, desk, scene, **_PROMPT)
        saved = parts.page.export(edits.export, desk, parts.download, **_QUIET)
        saved.success(None, parts.download, js=_SAVE, show_progress="hidden")

    def _wire_writing(self, arriving: Any) -> None:
        parts, desk, view, writing = self.parts, self.parts.desk, self.parts.view, self.writing
        dock, models, everything = parts.dock, parts.models, [*parts.choice, *parts.told, *view]
        # The browser empties the field at once: nothing is sent twice, and what the writer types
        # while the line is on its way is not wiped out.
        taken: dict[str, Any] = {
            "fn": None,
            "js": "(line) => ['', line]",
            "inputs": dock.line,
            "outputs": [dock.line, parts.composed],
            "trigger_mode": "multiple",
            "show_progress": "hidden",
        }
        composed = [dock.speaker, parts.composed]
        dock.line.submit(**taken).then(self.edits.write, [*desk, *composed], view, **_PROMPT)
        order = [*desk, *parts.order]
        rivals = [*order, models.rival, models.blind]
        running = [
            dock.proceed.click(**taken).then(
                writing.proceed, [*order, *composed], everything, **_QUIET
            ),
            dock.retake.click(writing.retake, order, everything, **_QUIET),
            parts.page.retake(writing.retake_from, order, everything, **_QUIET),
            dock.takes.click(writing.takes, order, everything, **_QUIET),
            models.compare.click(writing.compare, rivals, everything, **_QUIET),
        ]
        for event in running:  # whatever happens, the room must not stay locked
            event.failure(self.edits.redraw, desk, view, **_QUIET)
        # Two events, because Gradio would run the handler first and cancel after it.
        dock.stop.click(None, cancels=[arriving, *running])
        dock.stop.click(writing.stop, desk, view, **_QUIET)
        parts.growing.choose(writing.choose_take, desk, view, **_PROMPT)
        models.ask.click(writing.preview, order, models.sent, **_QUIET)
