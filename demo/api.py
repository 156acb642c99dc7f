"""The room for programs: named endpoints beside the page, for gradio_client, HTTP and MCP."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from random import Random

import gradio as gr
from gradio.events import api

from demo.formats import export_scene, import_scene
from demo.generation.candidates import vary_seeds
from demo.generation.client import ModelClient
from demo.generation.constraints import read_constraints
from demo.generation.request import MAX_LINES, GenerationRequest
from demo.scene.history import History
from demo.scene.scene import Entry, Provenance, Scene
from demo.session.rate_limit import RateLimiter
from demo.session.session import Session
from demo.ui.scene_form import read_scene_form
from nothing_gpt.errors import UserError
from nothing_gpt.line import Line, parse_lines, render_line, render_lines
from nothing_gpt.prompt import Direction
from nothing_gpt.show import Show

MAX_TAKES = 8
"""Most takes that one call may ask for; they are written at the same time."""


def add_endpoints(
    endpoint: ModelClient, shows: Mapping[str, Show], show: str, meter: RateLimiter | None = None
) -> None:
    """Add the endpoints to the `gr.Blocks` that is being made.

    Args:
        meter: Counts what visitors have written, also by programs.
    """
    programs = RoomApi(endpoint, shows, show, meter)
    for function in (
        programs.models,
        programs.continue_scene,
        programs.write_takes,
        programs.export_scene,
        programs.import_scene,
    ):
        api(function)


class RoomApi:
    """What programs may call. Scripts are `[NAME] words` lines; names are set apart by commas.

    A server that is asleep is waked first, which may take minutes.
    """

    def __init__(
        self,
        endpoint: ModelClient,
        shows: Mapping[str, Show],
        show: str,
        meter: RateLimiter | None,
    ) -> None:
        self._endpoint = endpoint
        self._shows = shows
        self._show = show
        self._meter = meter

    async def models(self) -> list[str]:
        """List the models that a scene can be continued with, adapters and their bases."""
        with _told():
            await self._wake()
            return [model.name for model in await self._endpoint.list_models()]

    async def continue_scene(
        self,
        script: str,
        model: str,
        premise: str = "",
        setting: str = "",
        present: str = "",
        lines: int = 8,
        seed: int = -1,
        first: str = "",
        required: str = "",
        barred: str = "",
        request: gr.Request | None = None,
    ) -> str:
        """Have a model continue a scene; gives the new lines alone, as a script.

        Args:
            script: The scene so far, one `[NAME] words` line for each speech.
            model: One of those that `models` lists.
            premise: What the scene is about; may be empty.
            setting: Where and when it plays; may be empty.
            present: Who is in the scene, as names set apart by commas; empty for the whole cast.
            lines: How many lines to write, at most 30.
            seed: The same seed gives the same lines; a negative one is replaced by a random one.
            first: Who speaks next; may be empty.
            required: Who must speak, as names set apart by commas; may be empty.
            barred: Who must not speak, as names set apart by commas; may be empty.
        """
        with _told():
            session = await self._begin(request)
            order = self._direct(session, script, model, premise, setting, present, lines, seed)
            names = [part for part in required.split(",") if part.strip()]
            silent = [part for part in barred.split(",") if part.strip()]
            wishes = read_constraints(order.show, first, silent, names, "", locked=True)
            order = replace(order, wishes=wishes)
            given = len(session.scene.entries)
            async for _ in session.continue_scene(self._endpoint, order):
                pass
            if session.note.mood == "problem":
                raise UserError(session.note.text)
            return render_lines(e.line for e in session.scene.entries[given:] if e.line)

    async def write_takes(
        self,
        script: str,
        model: str,
        count: int = 3,
        premise: str = "",
        setting: str = "",
        present: str = "",
        lines: int = 8,
        seed: int = -1,
        request: gr.Request | None = None,
    ) -> list[str]:
        """Have a model continue a scene several times over; gives one script for each take.

        Args:
            script: The scene so far, one `[NAME] words` line for each speech.
            model: One of those that `models` lists.
            count: How many takes, at most 8.
            premise: What the scene is about; may be empty.
            setting: Where and when it plays; may be empty.
            present: Who is in the scene, as names set apart by commas; empty for the whole cast.
            lines: How many lines each take has, at most 30.
            seed: The first take's; the others' follow from it. A negative one is replaced.
        """
        with _told():
            session = await self._begin(request)
            order = self._direct(session, script, model, premise, setting, present, lines, seed)
            orders = vary_seeds(order, min(max(count, 1), MAX_TAKES), order.take.seed)
            async for _ in session.write_takes(self._endpoint, orders):
                pass
            trials = session.takes.trials if session.takes else ()
            failed = [trial.said for trial in trials if trial.state == "failed"]
            if len(failed) == len(trials):
                raise UserError(failed[0])
            return [render_lines(trial.lines) for trial in trials]

    async def export_scene(
        self, script: str, ending: str, title: str, premise: str = "", setting: str = ""
    ) -> str:
        """Give a script as the text of a file that other programs read.

        Args:
            script: The scene, one `[NAME] words` line for each speech.
            ending: fountain, fdx, txt or json.
            title: The scene's title.
            premise: What the scene is about; may be empty.
            setting: Where and when it plays; may be empty.
        """
        with _told():
            scene = Scene(tuple(_read_script(script)), Direction(premise, setting))
            return await asyncio.to_thread(export_scene, scene, ending, title)

    async def import_scene(self, text: str, ending: str) -> str:
        """Read a screenplay; gives its speeches as a script, stage directions in brackets.

        Args:
            text: What the file holds.
            ending: fountain, fdx, txt or json: how the file's name ends.
        """
        with _told():
            # A long script is read aside, so that nobody's page stands still.
            scene = await asyncio.to_thread(import_scene, ending, text)
            return "\n".join(
                render_line(entry.line) if entry.line else f"({entry.text})"
                for entry in scene.entries
            )

    async def _wake(self) -> None:
        async for _ in self._endpoint.wake(anyway=True):
            pass

    async def _begin(self, request: gr.Request | None) -> Session:
        await self._wake()
        visitor = str(request.client.host) if request and request.client else ""
        models = await self._endpoint.list_models()
        return Session(models=models, meter=self._meter, visitor=visitor)

    def _direct(
        self,
        session: Session,
        script: str,
        model: str,
        premise: str,
        setting: str,
        present: str,
        lines: int,
        seed: int,
    ) -> GenerationRequest:
        desk = read_scene_form(
            session.models, self._shows, model, self._show, premise, setting, [], present
        )
        scene = Scene(tuple(_read_script(script)), desk.direct(Direction()))
        session.history = History().change(scene)
        chosen = seed if seed >= 0 else Random().getrandbits(31)  # noqa: S311 - no secret
        base = next((m.parent for m in session.models if m.name == model and m.parent), "")
        wanted = min(max(lines, 1), MAX_LINES)
        return GenerationRequest(
            desk.show, desk.format, Provenance(model, chosen, base), wanted, bound=desk.bound
        )


@contextmanager
def _told() -> Iterator[None]:
    """Tell a program what is wrong as its protocol does."""
    try:
        yield
    except UserError as error:
        raise gr.Error(str(error), print_exception=False) from error


def _read_script(script: str) -> list[Entry]:
    parsed = parse_lines(script)
    entries = [Entry(line.text, line.speaker) for line in parsed if isinstance(line, Line)]
    if len(entries) < len(parsed):
        raise UserError("every line of the script must look like this: [NAME] words")
    return entries
