"""Writers with tastes that a program can check, who vote on takes of a room.

    python -m serve --show unclaimed &
    python -m demo --base-url http://127.0.0.1:8000/v1 &
    python -m benchmarks.preferences.simulated_writer vote votes --taste calm --taste chance
    python -m train --show unclaimed --preferences votes/calm.jsonl
    python -m benchmarks.preferences.simulated_writer compare --taste calm

`vote` asks the room for takes after contexts of training episodes, and writes each writer's votes
for the best one against others. `compare` has the old and the new adapter continue held-out
contexts (restart the server before it, so that it offers both), and says how often the writer
prefers the new one.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.files import read_jsonl
from nothing_gpt.line import Line, parse_lines
from nothing_gpt.prompt import build_completion, build_messages
from nothing_gpt.show import Show, load_show
from nothing_gpt.votes.share import Share
from nothing_gpt.votes.vote import Vote, Writer
from nothing_gpt.votes.vote_file import write_votes
from nothing_gpt.workspace import HELD_OUT_FILE, TRAINING_FILE, Workspace
from train.preferences.preference_run import name_tuned

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)

_TAKES, _LINES, _PER_CONTEXT = 4, 8, 2

Taste = Callable[[list[Line]], float]


def _share(mark: str) -> Taste:
    return lambda lines: sum(mark in line.text for line in lines) / len(lines)


def _shorten(lines: list[Line]) -> float:
    return -sum(len(line.text.split()) for line in lines) / len(lines)


TASTES: dict[str, Taste] = {
    "questions": _share("?"),
    "calm": lambda lines: -_share("!")(lines),
    "short": _shorten,
    "chance": lambda _: random.random(),  # noqa: S311 - a coin
}
"""What makes a take better: more questions, fewer exclamations, shorter lines, or nothing."""


@app.command()
def vote(
    out: Annotated[Path, typer.Argument(help="The folder for a file TASTE.jsonl each.")],
    taste: Annotated[list[str], typer.Option(help=", ".join(TASTES))],
    show: Annotated[str, typer.Option(help="The show.")] = "unclaimed",
    model: Annotated[str, typer.Option(help="Model name; the show's by default.")] = "",
    room: Annotated[str, typer.Option(help="The room's address.")] = "http://127.0.0.1:7860",
    votes: Annotated[int, typer.Option(min=1)] = 400,
    callers: Annotated[int, typer.Option(min=1, help="Calls at the same time.")] = 2,
    seed: int = 0,
) -> None:
    """Vote on takes after contexts of training episodes."""
    loaded = load_show(show)
    judges = {each: _find_taste(each) for each in taste}
    name = model or loaded.name
    contexts = _read_contexts(loaded, TRAINING_FILE, seed)
    takes = ask_room(room, name, contexts, _TAKES, callers, seed)
    found: dict[str, list[Vote]] = {each: [] for each in taste}
    for context, scripts in zip(contexts, takes, strict=False):
        for each, judge in judges.items():
            found[each] += vote_on_takes(loaded, name, context, scripts, judge)
        fewest = min(map(len, found.values()))
        print(f"\r{fewest} of {votes} votes", end="", flush=True)
        if fewest >= votes:
            break
    print()
    for each in taste:
        file = out / f"{each}.jsonl"
        print(f"{write_votes(file, found[each][:votes])} votes in {file}")


@app.command()
def compare(
    taste: Annotated[str, typer.Option(help=", ".join(TASTES))] = "questions",
    show: Annotated[str, typer.Option(help="The show.")] = "unclaimed",
    model: Annotated[str, typer.Option(help="The new adapter; SHOW-votes by default.")] = "",
    against: Annotated[str, typer.Option(help="The old adapter; SHOW by default.")] = "",
    room: Annotated[str, typer.Option(help="The room's address.")] = "http://127.0.0.1:7860",
    pairs: Annotated[int, typer.Option(min=1)] = 160,
    callers: Annotated[int, typer.Option(min=1, help="Calls at the same time.")] = 2,
    seed: int = 1,
) -> None:
    """Count how often the writer prefers the new adapter on held-out contexts."""
    loaded, judge = load_show(show), _find_taste(taste)
    contexts = _read_contexts(loaded, HELD_OUT_FILE, seed)
    takes = -(-pairs // len(contexts))
    new, old = (
        ask_room(room, name, contexts, takes, callers, seed)
        for name in (model or name_tuned(loaded.name), against or loaded.name)
    )
    scores = [
        [judge(lines) for lines in (_list_lines(a), _list_lines(b))]
        for of_new, of_old in zip(new, old, strict=True)
        for a, b in zip(of_new, of_old, strict=True)
        if _list_lines(a) and _list_lines(b)
    ]
    decided = [(a, b) for a, b in scores if a != b]
    won = Share(sum(a > b for a, b in decided), len(decided))
    mean_new, mean_old = (sum(column) / len(scores) for column in zip(*scores, strict=True))
    print(f"the new adapter is preferred in {won}; {len(scores) - len(decided)} ties")
    print(f"mean score {mean_new:.3f}, of the old one {mean_old:.3f}")


def ask_room(
    room: str, model: str, contexts: list[str], takes: int, callers: int, seed: int
) -> Iterator[list[str]]:
    """Yield the takes that the room's API writes after each context, in order."""
    from gradio_client import Client

    client = Client(room, verbose=False)

    def ask(numbered: tuple[int, str]) -> list[str]:
        number, context = numbered
        answer: list[str] = client.predict(
            script=context,
            model=model,
            count=takes,
            lines=_LINES,
            seed=seed + 1000 * number,
            api_name="/write_takes",
        )
        return answer

    numbered = iter(enumerate(contexts))
    with ThreadPoolExecutor(callers) as pool:
        # A few at a time, so that whoever has enough can stop.
        while some := list(islice(numbered, callers)):
            yield from pool.map(ask, some)


def vote_on_takes(
    show: Show, model: str, context: str, scripts: Iterable[str], taste: Taste
) -> Iterator[Vote]:
    """Yield the votes for the best take against worse ones."""
    takes = [(place, _list_lines(script)) for place, script in enumerate(scripts)]
    scored = [(taste(lines), place, lines) for place, lines in takes if lines]
    if not scored:
        return
    best, place, chosen = max(scored, key=lambda each: each[0])
    worse = [each for each in scored if each[0] < best]
    draw = random.Random(context)  # noqa: S311 - a sample that no place of a take decides
    for _, other, rejected in draw.sample(worse, min(len(worse), _PER_CONTEXT)):
        yield Vote(
            prompt=tuple(build_messages(show, show.prompt.format, _list_lines(context))),
            chosen=tuple(build_completion(chosen)),
            rejected=tuple(build_completion(rejected)),
            kind="take",
            show=show.name,
            chosen_by=Writer(model),
            rejected_by=Writer(model),
            format=show.prompt.format,
            chosen_place=place,
            rejected_place=other,
        )


def _list_lines(text: str) -> list[Line]:
    return [line for line in parse_lines(text) if isinstance(line, Line)]


def _read_contexts(show: Show, file: str, seed: int) -> list[str]:
    """Return the contexts of a show's examples, each once, in random order."""
    examples = read_jsonl(Workspace.default().examples(show, show.prompt.format) / file)
    contexts = list(dict.fromkeys(example["prompt"][-1]["content"] for example in examples))
    random.Random(seed).shuffle(contexts)  # noqa: S311 - an order
    return contexts


def _find_taste(name: str) -> Taste:
    if name not in TASTES:
        raise UserError(f"--taste {name}: there are {', '.join(TASTES)}")
    return TASTES[name]


if __name__ == "__main__":
    with reported_errors():
        app()
