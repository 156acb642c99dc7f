"""A trained pocket adapter, and votes of a writer with a taste."""

import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from nothing_gpt.line import Line, parse_lines, render_lines
from nothing_gpt.prompt import build_completion, build_messages
from nothing_gpt.show import Generation, Show
from nothing_gpt.votes.vote import Vote, Writer
from nothing_gpt.workspace import Workspace
from tests.train.conftest import BRIEF, RECIPE
from train.config.run import resolve_run
from train.data.examples import read_examples
from train.finetuning import finetune

WRITER = Writer("tiny", 1, "pocket-tiny")

Taste = Callable[[Sequence[Line]], float]


@pytest.fixture(scope="session")
def trained(show: Show, base: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with the show's adapter."""
    folder = tmp_path_factory.mktemp("preferences") / "workspace"
    shutil.copytree(base.root, folder)
    brief = replace(BRIEF, quantize="none")
    short = replace(show, generation=Generation(max_tokens=24))
    finetune(resolve_run(short, "pocket", brief, Workspace(folder), pretraining=RECIPE))
    return Workspace(folder)


@pytest.fixture
def tuned_place(trained: Workspace, tmp_path: Path) -> Workspace:
    """A copy for one test."""
    shutil.copytree(trained.root, tmp_path / "tuned")
    return Workspace(tmp_path / "tuned")


def list_lines(workspace: Workspace, show: Show) -> list[Line]:
    """List the lines of the training episodes."""
    training, _ = read_examples(workspace.data(show.name))
    texts = (message["content"] for each in training for message in each["completion"])
    return [line for text in texts for line in parse_lines(text) if isinstance(line, Line)]


def make_votes(lines: Sequence[Line], show: Show, taste: Taste, count: int) -> list[Vote]:
    """Have a writer choose between two continuations of three lines, after contexts of two."""
    draw = random.Random(0)
    votes: list[Vote] = []
    while len(votes) < count:
        context, *answers = (draw.sample(lines, size) for size in (2, 3, 3))
        first, second = sorted(answers, key=taste, reverse=True)
        if taste(first) > taste(second):
            votes.append(make_vote(show, context, first, second, place=len(votes) % 2))
    return votes


def make_vote(
    show: Show,
    context: Sequence[Line],
    chosen: Sequence[Line],
    rejected: Sequence[Line],
    place: int | None = None,
) -> Vote:
    return Vote(
        tuple(build_messages(show, show.prompt.format, context)),
        tuple(build_completion(chosen)),
        tuple(build_completion(rejected)),
        "take",
        show.name,
        WRITER,
        WRITER,
        chosen_place=place,
        rejected_place=None if place is None else 1 - place,
    )


def count_questions(lines: Sequence[Line]) -> float:
    return render_lines(lines).count("?")
