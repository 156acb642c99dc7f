"""Scores of a served model's scenes, for any OpenAI-compatible endpoint.

    python -m serve --show unclaimed &
    python -m benchmarks.scorecard --show unclaimed --base-url http://127.0.0.1:8000/v1

Each scene is a new continuation of a held-out context that the model never saw.
"""

import random
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.files import read_jsonl, write_json
from nothing_gpt.line import Line, MalformedLine, parse_lines, render_lines
from nothing_gpt.prompt import Message
from nothing_gpt.records import encode
from nothing_gpt.workspace import DIALOGUES_FILE, HELD_OUT_FILE, Workspace

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types.chat import ChatCompletionMessageParam

LEAST_LINES = 10
"""Fewest lines of a complete scene; shorter scenes are scored too, and counted as short."""

CONTEXT = 5
"""Lines of context before each continuation, as in training."""

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Scores of a set of scenes; shares are between 0 and 1.

    Attributes:
        parsed: Share of lines that parse.
        known_words: Share of words that occur in the show's scripts.
        repeated: Share of parsed lines that occur earlier in their scene or its context.
        quoted: Share of parsed lines that equal a whole speech of the training scripts.
        short: Number of scenes below `LEAST_LINES`.
        fewest_speakers: Number of speakers in the scene with the fewest.
    """

    scenes: int
    lines: int
    parsed: float
    known_words: float
    repeated: float
    quoted: float
    short: int
    fewest_speakers: int


def words(text: str) -> list[str]:
    """Split text into lower-case words; apostrophes inside a word stay."""
    return _WORD.findall(text.lower().replace("\u2019", "'"))


def score(
    scenes: Sequence[tuple[Sequence[Line], Sequence[Line | MalformedLine]]],
    vocabulary: set[str],
    scripts: set[str],
) -> Scorecard:
    """Score scenes.

    Args:
        scenes: Pairs of a context and the model's continuation.
        vocabulary: The words of the show's scripts.
        scripts: The texts of all training speeches, to recognise quotations.
    """
    parsed = known = total = repeated = quoted = 0
    for context, written in scenes:
        earlier = {line.text for line in context}
        for line in written:
            if isinstance(line, MalformedLine):
                continue
            parsed += 1
            repeated += line.text in earlier
            quoted += line.text in scripts
            earlier.add(line.text)
            spoken = words(line.text)
            total += len(spoken)
            known += sum(word in vocabulary for word in spoken)
    lines = sum(len(written) for _, written in scenes)
    speakers = (len({x.speaker for x in w if isinstance(x, Line)}) for _, w in scenes)
    return Scorecard(
        scenes=len(scenes),
        lines=lines,
        parsed=parsed / max(lines, 1),
        known_words=known / max(total, 1),
        repeated=repeated / max(parsed, 1),
        quoted=quoted / max(parsed, 1),
        short=sum(len(written) < LEAST_LINES for _, written in scenes),
        fewest_speakers=min(speakers, default=0),
    )


def write_scene(
    client: "OpenAI",
    model: str,
    messages: list[Message],
    *,
    temperature: float,
    seed: int,
    most: int,
) -> list[Line | MalformedLine]:
    """Have the model write one scene of `LEAST_LINES` up to `most` whole lines.

    If the model ends a scene early, the next request continues from the last lines, as a writer
    would do. A model that writes nothing leaves a short scene.
    """
    lines: list[Line | MalformedLine] = []
    system, user = messages
    for attempt in range(LEAST_LINES):
        answer = client.chat.completions.create(
            model=model,
            messages=cast("list[ChatCompletionMessageParam]", [system, user]),
            temperature=temperature,
            seed=seed + attempt,
            max_tokens=40 * most,
        ).choices[0]
        written = parse_lines(answer.message.content or "")
        # A last line that the token limit cut off is not the model's fault.
        lines += written[:-1] if answer.finish_reason == "length" else written
        if len(lines) >= LEAST_LINES:
            break
        parsed = [line for line in written if isinstance(line, Line)]
        context = [*parse_lines(user["content"]), *parsed]
        tail = [line for line in context if isinstance(line, Line)][-CONTEXT:]
        user = {"role": "user", "content": render_lines(tail)}
    return lines[:most]


def print_table(card: Scorecard, title: str) -> None:
    """Print the scores next to the pocket model's targets."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for column in ("measure", "value", "pocket model's target"):
        table.add_column(column)
    table.add_row("scenes", f"{card.scenes}", "50")
    table.add_row(f"scenes under {LEAST_LINES} lines", f"{card.short}", "0")
    table.add_row("lines that parse", f"{card.parsed:.1%}", ">= 98%")
    table.add_row("words of the scripts", f"{card.known_words:.1%}", ">= 97%")
    table.add_row("lines said before in the scene", f"{card.repeated:.1%}", "<= 5%")
    table.add_row("fewest speakers in a scene", f"{card.fewest_speakers}", ">= 3")
    table.add_row("lines quoted from training", f"{card.quoted:.1%}", "")
    Console().print(table)


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
    temperature: float = 0.7,
    seed: int = 0,
    out: Annotated[Path | None, typer.Option(help="Also write figures and scenes here.")] = None,
) -> None:
    import os

    from openai import OpenAI, OpenAIError

    data = Workspace.default().data(show)
    held_out = read_jsonl(data / HELD_OUT_FILE)
    speeches = read_jsonl(data / DIALOGUES_FILE)
    vocabulary = {word for r in speeches for word in words(f"{r['speaker']} {r['text']}")}
    trained = {r["text"] for r in speeches if r["split"] == "train"}
    numbers = random.Random(seed).sample(range(max(scenes, len(held_out))), scenes)  # noqa: S311
    chosen = [held_out[number % len(held_out)] for number in numbers]
    client = OpenAI(base_url=base_url, api_key=os.environ.get("OPENAI_API_KEY") or "none")

    def write(item: tuple[int, dict[str, Any]]) -> list[Line | MalformedLine]:
        number, record = item
        return write_scene(
            client,
            model or show,
            record["prompt"],
            temperature=temperature,
            seed=seed + 1000 * number,
            most=lines,
        )

    try:
        with ThreadPoolExecutor(8) as pool:
            written = list(pool.map(write, enumerate(chosen)))
    except OpenAIError as error:
        raise UserError(f"{base_url}: {error}") from error
    contexts = [
        [line for line in parse_lines(r["prompt"][-1]["content"]) if isinstance(line, Line)]
        for r in chosen
    ]
    card = score(list(zip(contexts, written, strict=True)), vocabulary, trained)
    print_table(card, f"{model or show} at temperature {temperature:g}, seed {seed}")
    if out:
        texts = [[encode(line) for line in scene] for scene in written]
        write_json(out, encode(card) | {"written": texts})


if __name__ == "__main__":
    with reported_errors():
        app()
