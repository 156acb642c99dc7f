"""Pairs from a server's scenes after the training episodes of the bundled show."""

import json
from pathlib import Path
from typing import Any

import pytest

from evaluation.defects.collection import Defects, collect_defects
from evaluation.generation.model_run import EvaluationJob
from evaluation.preference.kept_scenes import read_kept_scenes
from nothing_gpt.errors import UserError
from nothing_gpt.line import Line
from nothing_gpt.prompt import Message, build_completion
from nothing_gpt.votes.vote import Vote, Writer
from nothing_gpt.votes.vote_file import read_votes, write_votes
from tests.evaluation.conftest import Kept
from tests.fake_endpoint import FakeEndpoint, Script, fake_endpoint
from train.data.examples import read_examples
from train.preferences.vote_set import collect_votes

SAMPLES = 100_000
"""Seeds between two samples of a window."""


def write_scene(body: dict[str, Any]) -> str:
    """Write a sound scene; a third and a fourth sample have a defect."""
    number, sample = body["seed"] % SAMPLES, body["seed"] // SAMPLES
    lines = [f"[DOT] Case {number} has {word} of {sample} buttons." for word in "abcdefgh"]
    if sample == 2:
        lines[3] = "Dot looks for the button."
    if sample == 3:
        lines[4:] = lines[:4]
    return "\n".join(lines)


def collect(kept: Kept, server: FakeEndpoint, file: Path, *, scenes: int = 40) -> Defects:
    job = EvaluationJob(kept.show, (("unclaimed", server.url),), scenes)
    return collect_defects(job, file, kept.workspace)


def test_pairs_are_on_training_episodes_and_training_takes_them(kept: Kept) -> None:
    file = kept.workspace.root / "pairs.jsonl"
    with fake_endpoint(Script(reply=write_scene)) as server:
        found = collect(kept, server, file)
        assert (found.scenes, found.faulty, len(found.votes)) == (40, 20, 20)
        assert found.gates == {"lines that parse (raw)": 10, "loops and repeats": 10}
        assert list(found.describe()) == [
            "20 of 40 scenes of 'unclaimed' fail a gate: 10 lines that parse (raw), "
            "10 loops and repeats",
            "20 pairs, and a training needs 200 votes: write about 400 --scenes, or add votes of "
            "people",
        ]
        asked, written = len(server.requests), file.read_bytes()
        assert collect(kept, server, file) == found
        assert (len(server.requests), file.read_bytes()) == (asked, written)
    votes = read_votes([file])
    training, held_out = read_examples(kept.workspace.data("unclaimed"))
    usable = collect_votes(votes, kept.show, kept.show.prompt.format, training, held_out, seed=0)
    assert (usable.count, usable.left_out, usable.sources) == (20, {}, {"gate": 1.0})
    assert usable.first_won.total == usable.agreement.total == 0
    with pytest.raises(UserError, match="no kept scenes of the show"):
        read_kept_scenes(kept.show, ["unclaimed", "real"], kept.workspace)


def test_votes_of_people_are_not_written_over(kept: Kept) -> None:
    file = kept.workspace.root / "votes.jsonl"
    prompt: Message = {"role": "user", "content": "[DOT] Here."}
    chosen, rejected = build_completion([Line("DOT", "A.")]), build_completion([Line("DOT", "B.")])
    by = Writer("m")
    vote = Vote((prompt,), tuple(chosen), tuple(rejected), "table read", "unclaimed", by, by)
    write_votes(file, [vote])
    with fake_endpoint(Script(reply=write_scene)) as server:
        with pytest.raises(UserError, match="has votes of people; choose another file"):
            collect(kept, server, file)
        assert not server.requests
    assert json.loads(file.read_text())["id"] == vote.id


def test_scenes_without_a_pair_are_one_message(kept: Kept) -> None:
    file = kept.workspace.root / "pairs.jsonl"
    with (
        fake_endpoint(Script(reply=lambda body: write_scene(body | {"seed": 0}))) as server,
        pytest.raises(UserError, match=r"0 of 12 scenes of 'unclaimed' fail a gate.*no pair"),
    ):
        collect(kept, server, file, scenes=12)
    assert not file.exists()
