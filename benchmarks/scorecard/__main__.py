"""Scores of a served model's scenes, for any OpenAI-compatible endpoint.

    python -m serve --show unclaimed &
    python -m benchmarks.scorecard --show unclaimed --base-url http://127.0.0.1:8000/v1

Each scene is a new continuation of a held-out context that the model never saw. The scripts' own
continuations of the same contexts are scored beside it.
"""

import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmarks.scorecard.scenes import keep_parsed, write_scene
from benchmarks.scorecard.scores import ECHO_WORDS, LEAST_LINES, Scorecard, score, words
from nothing_gpt.adapter.bits_per_byte import describe_loss
from nothing_gpt.cast_lock import CastLock
from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.files import read_jsonl, write_json
from nothing_gpt.line import Line, MalformedLine, parse_lines
from nothing_gpt.records import encode
from nothing_gpt.show import load_show
from nothing_gpt.workspace import DIALOGUES_FILE, HELD_OUT_FILE, Workspace

if TYPE_CHECKING:
    from openai import OpenAI

_WRITERS = 8
"""Scenes that are written at the same time."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def main(
    show: Annotated[str, typer.Option(help="The show whose held-out scenes are continued.")],
    base_url: Annotated[
        str, typer.Option(help="The endpoint; its key is read from OPENAI_API_KEY.")
    ] = "http://127.0.0.1:8000/v1",
    model: Annotated[str, typer.Option(help="Model name; the show's by default.")] = "",
    scenes: Annotated[int, typer.Option(min=1)] = 50,
    lines: Annotated[int, typer.Option(min=1, help="Most lines of a scene.")] = 20,
    temperature: Annotated[float | None, typer.Option(help="The show's by default.")] = None,
    top_p: Annotated[float | None, typer.Option(help="The show's by default.")] = None,
    frequency_penalty: Annotated[float | None, typer.Option(help="The show's by default.")] = None,
    presence_penalty: Annotated[float | None, typer.Option(help="The show's by default.")] = None,
    cast_lock: Annotated[
        bool, typer.Option("--cast-lock", help="Restrict the speakers, like the room.")
    ] = False,
    seed: int = 0,
    out: Annotated[Path | None, typer.Option(help="Also write figures and scenes here.")] = None,
) -> None:
    from openai import OpenAI, OpenAIError

    loaded = load_show(show)
    given = {
        "temperature": temperature,
        "top_p": top_p,
        "frequency_penalty": frequency_penalty,
        "presence_penalty": presence_penalty,
    }
    settings = {
        name: getattr(loaded.generation, name) if value is None else value
        for name, value in given.items()
    }
    data = Workspace.default().data(loaded.name)
    held_out = read_jsonl(data / HELD_OUT_FILE)
    speeches = read_jsonl(data / DIALOGUES_FILE)
    vocabulary = {word for r in speeches for word in words(f"{r['speaker']} {r['text']}")}
    trained = {r["text"] for r in speeches if r["split"] == "train"}
    numbers = random.Random(seed).sample(range(max(scenes, len(held_out))), scenes)  # noqa: S311
    chosen = [held_out[number % len(held_out)] for number in numbers]
    contexts = [keep_parsed(parse_lines(r["prompt"][-1]["content"])) for r in chosen]
    client = OpenAI(base_url=base_url, api_key=os.environ.get("OPENAI_API_KEY") or "none")
    name = model or loaded.name

    def write(number: int) -> list[Line | MalformedLine]:
        options: dict[str, Any] = dict(settings)
        if cast_lock:
            cast = dict.fromkeys([*loaded.names, *(line.speaker for line in contexts[number])])
            options["extra_body"] = CastLock((*cast,), lines).as_extra_body()
        messages = chosen[number]["prompt"]
        first = seed + 1000 * number
        return write_scene(client, name, messages, most=lines, seed=first, options=options)

    try:
        loss = read_held_out_loss(client, name)
        with ThreadPoolExecutor(_WRITERS) as pool:
            written = list(pool.map(write, range(scenes)))
    except OpenAIError as error:
        raise UserError(f"{base_url}: {error}") from error
    real = [parse_lines(r["completion"][-1]["content"])[:lines] for r in chosen]
    card = score(list(zip(contexts, written, strict=True)), vocabulary, trained)
    scripts = score(list(zip(contexts, real, strict=True)), vocabulary, trained)
    how = ", ".join(f"{key.replace('_', ' ')} {value:g}" for key, value in settings.items())
    print(f"{name}: {how}{', cast lock' if cast_lock else ''}, seed {seed}")
    if loss:
        print(f"held-out loss {loss}")
    print_table(card, scripts)
    if out:
        texts = [[encode(line) for line in scene] for scene in written]
        write_json(out, encode(card) | {"written": texts})


def read_held_out_loss(client: "OpenAI", model: str) -> str:
    """Return the held-out loss on a model's card; empty if the server tells none."""
    for card in client.models.list():
        ours = (card.model_extra or {}).get("nothing_gpt")
        if card.id == model and isinstance(ours, dict):
            return describe_loss(ours["metrics"])
    return ""


def print_table(card: Scorecard, scripts: Scorecard) -> None:
    """Print the scores next to those of the scripts."""
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for column in ("measure", "value", "the scripts'"):
        table.add_column(column)

    def add(measure: str, form: str, *values: float) -> None:
        table.add_row(measure, *(format(value, form) for value in values))

    add("scenes", "d", card.scenes, scripts.scenes)
    add(f"scenes under {LEAST_LINES} lines", "d", card.short, scripts.short)
    add("lines that parse", ".1%", card.parsed, scripts.parsed)
    add("words of the scripts", ".1%", card.known_words, scripts.known_words)
    add("lines said before in the scene", ".1%", card.repeated, scripts.repeated)
    add(f"runs of {ECHO_WORDS} words said before", ".1%", card.echoed, scripts.echoed)
    add("fewest speakers in a scene", "d", card.fewest_speakers, scripts.fewest_speakers)
    add("words in a line", ".1f", card.line_words, scripts.line_words)
    add("words in a line, second half", ".1f", card.late_line_words, scripts.late_line_words)
    add("lines quoted from training", ".1%", card.quoted, scripts.quoted)
    Console().print(table)


if __name__ == "__main__":
    with reported_errors():
        app()
