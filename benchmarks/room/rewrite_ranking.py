"""How often the room's ranking of rewritten lines finds the line of the scripts.

    python -m serve --show unclaimed &
    python -m benchmarks.room.rewrite_ranking --show unclaimed

At a place of each held-out scene the model writes alternatives of one line, as *Rewrite* does.
They are ranked together with the line of the scripts, by the next lines of the scripts. The
measure is the share of pairs in which these are more probable after the true line than after a
written one; by chance it would be a half.
"""

import asyncio
import os
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from demo.generation.candidates import vary_seeds
from demo.generation.client import ModelClient
from demo.generation.models import choose_model
from demo.generation.request import GenerationRequest
from demo.generation.rewriting.alternatives import ALTERNATIVES, Passage, write_alternatives
from demo.generation.rewriting.ranking import FOLLOWING_LINES, rank
from demo.scene.scene import Entry, Provenance, Scene
from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.files import read_jsonl
from nothing_gpt.line import Line, parse_lines
from nothing_gpt.show import load_show
from nothing_gpt.workspace import HELD_OUT_FILE, Workspace

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a scene, and how the true line fared there.

    Attributes:
        ahead: Written lines that were ranked before the true one.
        behind: Written lines that were ranked after it.
    """

    ahead: int
    behind: int


@app.command(help=__doc__)
def main(
    show: Annotated[str, typer.Option(help="The show whose held-out scenes are rewritten.")],
    base_url: Annotated[
        str, typer.Option(help="The endpoint; its key is read from OPENAI_API_KEY.")
    ] = "http://127.0.0.1:8000/v1",
    model: Annotated[str, typer.Option(help="Model name; the show's by default.")] = "",
    places: Annotated[int, typer.Option(min=1)] = 20,
    seed: int = 0,
) -> None:
    loaded = load_show(show)
    scenes = read_scenes(Workspace.default().data(loaded.name) / HELD_OUT_FILE)
    rng = random.Random(seed)  # noqa: S311 - for a sample
    chosen = rng.sample(scenes, min(places, len(scenes)))
    client = ModelClient(base_url, os.environ.get("OPENAI_API_KEY") or "none")
    name = model or loaded.name

    async def measure_all() -> list[Place]:
        models = await client.list_models()
        choice = choose_model(models, {loaded.name: loaded}, name, loaded.name)
        measured = []
        for number, scene in enumerate(chosen):
            index = rng.randrange(1, len(scene.entries) - FOLLOWING_LINES)
            provenance = Provenance(name, seed + 1000 * number, choice.base)
            request = GenerationRequest(choice.show, choice.format, provenance, lines=1)
            measured.append(await measure(client, request, scene, index))
        return measured

    with reported_errors():
        print(describe(asyncio.run(measure_all())))


def read_scenes(file: Path) -> list[Scene]:
    """Read the held-out windows that are long enough as scenes, without their direction."""
    scenes = []
    for record in read_jsonl(file):
        texts = (record["prompt"][-1]["content"], record["completion"][0]["content"])
        lines = [line for text in texts for line in parse_lines(text) if isinstance(line, Line)]
        if len(lines) > FOLLOWING_LINES + 1:
            scenes.append(Scene(tuple(Entry(line.text, line.speaker) for line in lines)))
    return scenes


async def measure(
    client: ModelClient, request: GenerationRequest, scene: Scene, index: int
) -> Place:
    """Rank the true line at an index among alternatives that the model writes.

    Raises:
        UserError: the server gives no log-probabilities, or failed.
    """
    passage = Passage(index, 1)
    requests = vary_seeds(request, ALTERNATIVES, request.provenance.seed)
    async for written in write_alternatives(client, requests, scene, passage):
        last = written
    others = [passage.replace(scene, entries) for entries in last.alternatives]
    ends = [passage.start + len(entries) for entries in last.alternatives]
    order = await rank(client, request, [scene, *others], [passage.start + 1, *ends])
    if order is None:
        raise UserError("the server gives no log-probabilities; use python -m serve")
    place = order.index(0)
    return Place(place, len(others) - place)


def describe(places: Iterable[Place]) -> str:
    """Sum up the places in a few lines."""
    counted = [place for place in places if place.ahead or place.behind]
    behind, pairs = sum(p.behind for p in counted), sum(p.ahead + p.behind for p in counted)
    first = sum(not place.ahead for place in counted)
    by_chance = sum(1 / (1 + place.ahead + place.behind) for place in counted)
    return (
        f"{len(counted)} places with {pairs} written lines.\n"
        f"The true line is first at {first} places; by chance at {by_chance:.1f}.\n"
        f"The next lines are more probable after it in {behind} of {pairs} pairs"
        f" ({behind / max(pairs, 1):.0%})."
    )


if __name__ == "__main__":
    app()
