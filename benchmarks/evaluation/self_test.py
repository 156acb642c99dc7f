"""Does the evaluation tell apart what differs, and keep silent about what does not?

    python -m benchmarks.evaluation.self_test --show seinfeld --completions FILE.jsonl.gz

Needs the show's examples from data_prep. FILE has a record a held-out prompt with some completions
of one model: {"prompt": [...], "completions": ["[NAME] ...", ...]}. `--scenes LABEL=FOLDER` adds
the scenes of an evaluation's folder.
"""

import gzip
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from evaluation.defects.gates import list_failed_gates
from evaluation.generation.record import read_scenes
from evaluation.passages import Key, Passage, Window, Written, cut_to_equal_length, make_passage
from evaluation.resources.show_resources import ShowResources, learn_show
from evaluation.rows import corruption
from evaluation.rows.row import ROWS
from evaluation.rows.tally import Tally, count_voices
from evaluation.statistics.comparison import compare_models
from evaluation.statistics.ratio import Ratio, add_tallies
from evaluation.windows import list_episodes, read_speeches, read_windows
from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.line import parse_lines
from nothing_gpt.show import load_show
from nothing_gpt.workspace import Workspace

SPOILED = {
    "shuffled speakers": corruption.shuffle_speakers,
    "shuffled lines": corruption.shuffle_lines,
    "a loop": corruption.repeat_first_lines,
    "copied scenes": corruption.copy_training,
    "other contexts": corruption.swap_contexts,
}

Split = Callable[[random.Random], tuple[list[int], list[int]]]
"""Draws the numbers of two sets of passages."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def main(
    show: Annotated[str, typer.Option()],
    completions: Annotated[Path | None, typer.Option(exists=True, dir_okay=False)] = None,
    scenes: Annotated[list[str] | None, typer.Option(metavar="LABEL=FOLDER")] = None,
    splits: Annotated[int, typer.Option(min=0, help="Random splits into equals.")] = 1000,
) -> None:
    loaded = load_show(show)
    workspace = Workspace.default()
    speeches = read_speeches(workspace.data(loaded.name))
    train = list_episodes(speeches, held_out=False)
    known = learn_show(train.values(), (s["text"] for s in speeches if s["split"] == "train"))
    folder = workspace.examples(loaded, loaded.prompt.format)
    windows = read_windows(folder, list_episodes(speeches, held_out=True))
    models: dict[str, dict[Key, Sequence[Written]]] = {}
    pool = completions.name.partition(".")[0] if completions else ""
    if completions:
        models[pool] = read_completions(completions, windows)
    for each in scenes or []:
        label, _, place = each.partition("=")
        models[label] = {(s.window, s.sample): s.list_lines() for s in read_scenes(Path(place))}
    print_values(models, windows, known)
    halves, coins = cut_halves(windows)
    print_rate("real scenes against real scenes", halves, coins, known, splits)
    if completions:
        passages, _ = cut_to_equal_length(windows, [models[pool]])
        full = [passage for passage in passages if passage.lines]
        print_rate("one model's scenes, split", full, split_samples(full), known, splits)


def read_completions(path: Path, windows: Sequence[Window]) -> dict[Key, Sequence[Written]]:
    """Read the completions of the disjoint windows' prompts."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    found = {record["prompt"][-1]["content"]: record["completions"] for record in records}
    prompts = [window.messages[-1]["content"] for window in windows]
    if missing := [prompt for prompt in prompts if prompt not in found]:
        raise UserError(f"{path}: {len(missing)} of {len(windows)} held-out prompts are missing")
    return {
        (number, sample): parse_lines(text)
        for number, prompt in enumerate(prompts)
        for sample, text in enumerate(found[prompt])
    }


def print_values(
    models: dict[str, dict[Key, Sequence[Written]]],
    windows: Sequence[Window],
    known: ShowResources,
) -> None:
    """Print each row's value for real scenes, spoiled ones and models, and their failed gates.

    A value is in bold if it differs from that of real scenes, in a comparison of all rows.
    """
    written = {(number, 0): window.lines for number, window in enumerate(windows)}
    real, _ = cut_to_equal_length(windows, [written])
    columns = {"real scenes": (real, real)}
    for label, spoil in SPOILED.items():
        columns[label] = (spoil(real, known), real)
    for label, model in models.items():
        own, beside = cut_to_equal_length(windows, [model])
        columns[f"real scenes, as long as those of {label}"] = (beside, beside)
        columns[label] = (own, beside)
    episodes = list(dict.fromkeys(window.episode for window in windows))

    def measure(passages: Sequence[Passage]) -> list[Ratio]:
        return [add_tallies(row.count(passages, known), episodes) for row in ROWS]

    cells = []
    for own, beside in columns.values():
        values = measure(own)
        found = compare_models(values, measure(beside))
        marks = ["**" if difference.is_seen else "" for difference in found]
        texts = [format(ratio.value, row.form) for row, ratio in zip(ROWS, values, strict=True)]
        cells.append([f"{m}{text}{m}" for m, text in zip(marks, texts, strict=True)])
    print(f"{len(windows)} disjoint windows of {len(episodes)} held-out episodes\n")
    print(f"| row | {' | '.join(columns)} |")
    print("|---|" + "---|" * len(columns))
    for row, *texts in zip([row.name for row in ROWS], *cells, strict=True):
        print(f"| {row} | {' | '.join(texts)} |")
    faulty = (
        sum(bool(list_failed_gates(passage, known)) for passage in own) / len(own)
        for own, _ in columns.values()
    )
    print(f"| scenes that fail a gate | {' | '.join(format(share, '.1%') for share in faulty)} |")


def cut_halves(windows: Sequence[Window]) -> tuple[list[Passage], Split]:
    """Cut each window's lines into two equal halves, and assign them by a coin."""
    halves = []
    for window in windows:
        size = len(window.lines) // 2
        halves += [make_passage(window, 0, window.lines[:size])]
        halves += [make_passage(window, 0, window.lines[size : 2 * size])]

    def toss(draw: random.Random) -> tuple[list[int], list[int]]:
        first = [2 * number + draw.randint(0, 1) for number in range(len(windows))]
        return first, [number ^ 1 for number in first]

    return halves, toss


def split_samples(passages: Sequence[Passage]) -> Split:
    """Give each of two equals another sample of every context."""
    groups: dict[object, list[int]] = {}
    for number, passage in enumerate(passages):
        groups.setdefault((passage.episode, passage.context), []).append(number)
    several = [group for group in groups.values() if len(group) > 1]

    def deal(draw: random.Random) -> tuple[list[int], list[int]]:
        first, second = zip(*(draw.sample(group, 2) for group in several), strict=True)
        return list(first), list(second)

    return deal


def print_rate(
    title: str, passages: Sequence[Passage], split: Split, known: ShowResources, splits: int
) -> None:
    """Print in how many of the splits there is a verdict in any row."""
    if not splits:
        return
    episodes = list(dict.fromkeys(passage.episode for passage in passages))
    # A passage's tallies do not depend on the others of its set, but for the pools of voices.
    single = [row for row in ROWS if row.count is not count_voices]
    tallies = [row.count(passages, known) for row in single]
    if any(len(each) != len(passages) for each in tallies):
        raise ValueError("a row leaves passages out")

    def measure(numbers: Sequence[int]) -> list[Ratio]:
        sets: list[list[Tally]] = [[each[number] for number in numbers] for each in tallies]
        voices = count_voices([passages[number] for number in numbers], known)
        return [add_tallies(each, episodes) for each in (*sets, voices)]

    draw = random.Random(0)  # noqa: S311 - reproducible, not secret
    counts = dict.fromkeys([*(row.name for row in single), "voice"], 0)
    verdicts = 0
    for _ in range(splits):
        first, second = split(draw)
        found = compare_models(measure(first), measure(second))
        verdicts += any(difference.is_seen for difference in found)
        for name, difference in zip(counts, found, strict=True):
            counts[name] += difference.is_seen
    rows = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    share = f"{verdicts} of {splits} ({verdicts / splits:.1%})"
    print(f"\n{title}: a verdict in {share}; by row: {rows or 'none'}")


if __name__ == "__main__":
    with reported_errors():
        app()
