"""The room's API: named endpoints beside the page, for gradio_client, HTTP and MCP."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from random import Random

import gradio as gr
from gradio.events import api

from demo.access.visitor import identify_visitor
from demo.formats import export_scene, import_scene
from demo.generation.candidates import vary_seeds
from demo.generation.client import ModelClient
from demo.generation.constraints import read_constraints
from demo.generation.models import choose_model
from demo.generation.request import MAX_LINES, GenerationRequest
from demo.scene.history import History
from demo.scene.parsing import read_direction, read_script
from demo.scene.scene import Provenance, Scene
from demo.session.rate_limit import RateLimiter
from demo.session.session import Session
from nothing_gpt.errors import UserError
from nothing_gpt.line import render_line, render_lines
from nothing_gpt.prompt import Direction
from nothing_gpt.show import Show

ENDPOINTS = ("models", "continue_scene", "write_takes", "export_scene", "import_scene")
"""The methods of `RoomApi` that programs can call, by their names."""

MAX_TAKES = 8
"""Most takes of one call. They are written at the same time."""


def add_endpoints(
    client: ModelClient, shows: Mapping[str, Show], show: str, rate_limiter: RateLimiter
) -> None:
    """Add the endpoints, inside a `gr.Blocks`."""
    room = RoomApi(client, shows, show, rate_limiter)
    for name in ENDPOINTS:
        api(getattr(room, name))


class RoomApi:
    """The endpoints. Gradio takes their names, parameters and descriptions from the methods.

    Scripts have one `[NAME] words` line for each speech. Lists of names are separated by commas.
    A sleeping server is woken first, which can take minutes.
    """

    def __init__(
        self,
        client: ModelClient,
        shows: Mapping[str, Show],
        show: str,
        rate_limiter: RateLimiter,
    ) -> None:
        self._client = client
        self._shows = shows
        self._show = show
        self._rate_limiter = rate_limiter

    async def models(self) -> list[str]:
        """List the models that can continue a scene, adapters and their bases."""
        with _reported_errors():
            await self._wake()
            return [model.name for model in await self._client.list_models()]

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
        """Have a model continue a scene; returns the new lines as a script.

        Args:
            script: The scene so far, one `[NAME] words` line for each speech.
            model: One of the names that `models` returns.
            premise: What the scene is about; can be empty.
            setting: Where and when it happens; can be empty.
            present: Who is in the scene, names separated by commas; empty for the whole cast.
            lines: How many lines to write, at most 30.
            seed: The same seed gives the same lines; a negative one is replaced by a random one.
            first: Who speaks next; can be empty.
            required: Who must speak, names separated by commas; can be empty.
            barred: Who must not speak, names separated by commas; can be empty.
        """
        with _reported_errors():
            session = await self._open_session(request)
            wanted = self._prepare(session, script, model, premise, setting, present, lines, seed)
            required_names = [part for part in required.split(",") if part.strip()]
            barred_names = [part for part in barred.split(",") if part.strip()]
            constraints = read_constraints(
                wanted.show, first, barred_names, required_names, "", locked=True
            )
            wanted = replace(wanted, constraints=constraints)
            given = len(session.scene.entries)
            async for _ in session.continue_scene(self._client, wanted):
                pass
            if session.status.mood == "problem":
                raise UserError(session.status.text)
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
        """Have a model continue a scene several times; returns one script for each take.

        Args:
            script: The scene so far, one `[NAME] words` line for each speech.
            model: One of the names that `models` returns.
            count: How many takes, at most 8.
            premise: What the scene is about; can be empty.
            setting: Where and when it happens; can be empty.
            present: Who is in the scene, names separated by commas; empty for the whole cast.
            lines: How many lines each take has, at most 30.
            seed: The seed of the first take, from which the others follow; a negative one is
                replaced by a random one.
        """
        with _reported_errors():
            session = await self._open_session(request)
            wanted = self._prepare(session, script, model, premise, setting, present, lines, seed)
            requests = vary_seeds(wanted, min(max(count, 1), MAX_TAKES), wanted.provenance.seed)
            async for _ in session.write_candidates(self._client, requests):
                pass
            candidates = session.candidate_set.candidates if session.candidate_set else ()
            failed = [each.outcome for each in candidates if each.state == "failed"]
            if len(failed) == len(candidates):
                raise UserError(failed[0])
            return [render_lines(candidate.lines) for candidate in candidates]

    async def export_scene(
        self, script: str, ending: str, title: str, premise: str = "", setting: str = ""
    ) -> str:
        """Write a script as a file that other programs read; returns the file's text.

        Args:
            script: The scene, one `[NAME] words` line for each speech.
            ending: fountain, fdx, txt or json.
            title: The scene's title.
            premise: What the scene is about; can be empty.
            setting: Where and when it happens; can be empty.
        """
        with _reported_errors():
            scene = Scene(read_script(script), Direction(premise, setting))
            return await asyncio.to_thread(export_scene, scene, ending, title)

    async def import_scene(self, text: str, ending: str) -> str:
        """Read a screenplay; returns its speeches as a script, stage directions in brackets.

        Args:
            text: The content of the file.
            ending: The file's ending: fountain, fdx, txt or json.
        """
        with _reported_errors():
            # In a thread, so that a long script does not block the pages.
            scene = await asyncio.to_thread(import_scene, ending, text)
            return "\n".join(
                render_line(entry.line) if entry.line else f"({entry.text})"
                for entry in scene.entries
            )

    async def _wake(self) -> None:
        async for _ in self._client.wake(force=True):
            pass

    async def _open_session(self, request: gr.Request | None) -> Session:
        await self._wake()
        models = await self._client.list_models()
        visitor = identify_visitor(request)
        return Session(models=models, rate_limiter=self._rate_limiter, visitor=visitor)

    def _prepare(
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
        """Put the scene into the session, and make the request."""
        choice = choose_model(session.models, self._shows, model, self._show)
        direction = read_direction(
            premise, setting, (), present, parts=choice.parts, current=Direction()
        )
        session.history = History().change(Scene(read_script(script), direction))
        return GenerationRequest(
            choice.show,
            choice.format,
            Provenance(
                model,
                seed if seed >= 0 else Random().getrandbits(31),  # noqa: S311 - no secret
                choice.base,
            ),
            min(max(lines, 1), MAX_LINES),
            has_own_show=choice.has_own_show,
        )


@contextmanager
def _reported_errors() -> Iterator[None]:
    """Turn a `UserError` into the error that Gradio reports to the caller."""
    try:
        yield
    except UserError as error:
        raise gr.Error(str(error), print_exception=False) from error
