"""The room for programs: named endpoints beside the page, for gradio_client and for HTTP."""

from collections.abc import Mapping
from random import Random

import gradio as gr
from gradio.events import api

from demo.client import Endpoint
from demo.desk import read_desk
from demo.request import MAX_LINES, Order
from demo.scene import Entry, Scene, Take
from demo.session import Session
from nothing_gpt.errors import UserError
from nothing_gpt.line import Line, parse_lines, render_lines
from nothing_gpt.prompt import Direction
from nothing_gpt.show import Show


def add_endpoints(endpoint: Endpoint, shows: Mapping[str, Show], show: str) -> None:
    """Add `/models` and `/continue_scene` to the `gr.Blocks` that is being made."""

    async def models() -> list[str]:
        """List the models that a scene can be continued with."""
        try:
            return [model.name for model in await endpoint.list_models()]
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from error

    async def continue_scene(
        script: str,
        model: str,
        premise: str = "",
        setting: str = "",
        present: str = "",
        lines: int = 8,
        seed: int = -1,
    ) -> str:
        """Have a model continue a script of `[NAME] words` lines; gives the new lines alone.

        `present` are names set apart by commas. A negative seed is replaced by a random one.
        """
        try:
            session = Session(models=await endpoint.list_models())
            desk = read_desk(session.models, shows, model, show, premise, setting, [], present)
            scene = Scene(tuple(_read_script(script)), desk.direct(Direction()))
            session.history = session.history.change(scene)
            given = len(session.scene.entries)
            chosen = seed if seed >= 0 else Random().getrandbits(31)  # noqa: S311 - no secret
            wanted = min(max(lines, 1), MAX_LINES)
            order = Order(desk.show, desk.format, Take(model, chosen), wanted)
            async for _ in session.continue_scene(endpoint, order):
                pass
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from error
        if session.note.mood == "problem":
            raise gr.Error(session.note.text, print_exception=False)
        return render_lines(e.line for e in session.scene.entries[given:] if e.line)

    api(models)
    api(continue_scene)


def _read_script(script: str) -> list[Entry]:
    parsed = parse_lines(script)
    entries = [Entry(line.text, line.speaker) for line in parsed if isinstance(line, Line)]
    if len(entries) < len(parsed):
        raise UserError("every line of the script must look like this: [NAME] words")
    return entries
