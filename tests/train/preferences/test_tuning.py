"""Tuning of a real adapter by votes, on the pocket base."""

import os
import random
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from nothing_gpt.adapter.manifest import Lineage, read_manifest
from nothing_gpt.errors import UserError
from nothing_gpt.files import read_json
from nothing_gpt.show import Show
from nothing_gpt.votes.vote import Rating, Vote
from nothing_gpt.votes.vote_file import read_votes
from nothing_gpt.workspace import Workspace
from serve.models.served_models import choose_models
from tests.train.preferences.conftest import count_questions, list_lines, make_votes
from train.__main__ import app
from train.artifacts.run_history import read_runs
from train.data.examples import read_examples
from train.export.held_out_loss import encode_examples, read_losses
from train.generation import find_last_token
from train.preferences.preference_run import Method, PreferenceRun, resolve_preference_run
from train.preferences.trainer.fused_pairs import reading_padded
from train.preferences.trainer.vote_trainer import WrongReferenceError, build_vote_trainer
from train.preferences.tuning import load_adapter, measure_held_out, tune
from train.trainer import checkpoints
from train.trainer.checkpoints import find_latest, seal
from train.training_loop import train_to_end

FAST = {"train_batch": 8, "accumulation": 1, "max_length": 256}


def make_run(
    place: Workspace, show: Show, votes: Sequence[Vote | Rating], **settings: float
) -> PreferenceRun:
    return resolve_preference_run(show, votes, place, settings=FAST | settings)


@pytest.mark.parametrize("fused", [False, True])
def test_votes_make_an_adapter_beside_the_old_one(
    tuned_place: Workspace, show: Show, capsys: pytest.CaptureFixture[str], *, fused: bool
) -> None:
    old = read_manifest(tuned_place.adapter("tiny"))
    run = make_run(
        tuned_place,
        show,
        make_votes(list_lines(tuned_place, show), show, count_questions, 200),
        fused=fused,
    )
    folder = tune(run)
    assert folder == tuned_place.adapter("tiny-votes")
    new = read_manifest(folder)
    assert new.lineage == Lineage("tiny", old.inputs, "dpo", 200, {"take": 1.0})
    assert (new.base, new.format, new.rank, new.show) == (old.base, old.format, 32, old.show)
    assert read_manifest(tuned_place.adapter("tiny")) == old
    assert not (folder / "ref").exists()
    assert set(choose_models(tuned_place, "tiny").adapters) == {"tiny", "tiny-votes"}
    assert not run.checkpoints.exists()

    weights = "adapter_model.safetensors"
    before, after = (load_file(p / weights) for p in (tuned_place.adapter("tiny"), folder))
    assert before.keys() == after.keys()
    assert any((before[name] != after[name]).any() for name in before)

    first, *_ = read_json(folder / "history.json")
    assert first["eval_loss"] == pytest.approx(0.6931472)
    assert (first["eval_rewards/chosen"], first["eval_rewards/rejected"]) == (0.0, 0.0)
    report = (folder / "report.md").read_text()
    assert "Tuned from `tiny` by 200 votes (100% take): dpo." in report
    assert "held-out votes that it agrees with more" in report
    assert [past.name for past in read_runs(tuned_place, "tiny")] == ["tiny"]

    capsys.readouterr()
    assert tune(run) == folder
    assert "adapter 'tiny-votes' is up to date" in capsys.readouterr().out


def test_votes_of_chance_change_nothing_and_say_so(tuned_place: Workspace, show: Show) -> None:
    draw = random.Random(0)
    votes = make_votes(list_lines(tuned_place, show), show, lambda _: draw.random(), 200)
    run = make_run(tuned_place, show, votes)
    with pytest.raises(UserError) as caught:
        tune(run)
    message = str(caught.value)
    assert "the tuned adapter is refused, and 'tiny' stays as it is:" in message
    assert "held-out votes, which chance does too: these votes taught nothing" in message
    assert not tuned_place.adapter("tiny-votes").exists()
    assert not run.checkpoints.exists()


@pytest.mark.parametrize("fused", [False, True])
def test_ratings_are_learned_from_by_kto(
    tuned_place: Workspace, show: Show, *, fused: bool
) -> None:
    """Also with an adapter that was trained by the fast path, which KTO does not go by."""
    votes = make_votes(list_lines(tuned_place, show), show, count_questions, 8)
    ratings = [
        Rating(v.prompt, side, label, "gate", v.show, v.chosen_by)
        for v in votes
        for side, label in ((v.chosen, True), (v.rejected, False))
    ]
    run = make_run(tuned_place, show, ratings, epochs=2, fused=fused)
    trainer = build_vote_trainer(run, *load_adapter(run), "kto", ratings)
    first = trainer.evaluate()["eval_loss"]
    assert first == pytest.approx(0.5)
    trainer.train()
    assert trainer.evaluate()["eval_loss"] < first - 0.001
    with reading_padded(trainer):
        assert trainer.evaluate()["eval_loss"] < first - 0.001


def test_a_reference_that_is_not_the_adapter_stops_the_run(
    tuned_place: Workspace, show: Show
) -> None:
    votes = make_votes(list_lines(tuned_place, show), show, count_questions, 8)
    run = make_run(tuned_place, show, votes)
    base, model = load_adapter(run)
    trainer = build_vote_trainer(run, base, model, "dpo", votes)
    for name, parameter in model.named_parameters():
        if ".default." in name and "lora_B" in name:
            parameter.data.mul_(-5)
    with pytest.raises(WrongReferenceError, match=r"the first loss is \d\.\d+ instead of 0.693"):
        trainer.evaluate()


@pytest.mark.parametrize("method", ["dpo", "kto"])
def test_the_end_of_a_text_is_not_learned(
    tuned_place: Workspace, show: Show, method: Method
) -> None:
    """The room cuts takes, so that their last line is not where a scene ends."""
    votes = make_votes(list_lines(tuned_place, show), show, count_questions, 4)
    run = make_run(tuned_place, show, votes)
    base, model = load_adapter(run)
    trainer = build_vote_trainer(run, base, model, method, votes)
    batch = next(iter(trainer.get_train_dataloader()))
    learned = batch["input_ids"][batch["completion_mask"].bool()]
    assert len(learned) > 0
    assert find_last_token(base.tokenizer) not in learned


def test_an_interrupted_run_continues_as_if_nothing_had_happened(
    tuned_place: Workspace, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    votes = make_votes(list_lines(tuned_place, show), show, count_questions, 8)
    run = make_run(tuned_place, show, votes, train_batch=2, checkpoint_interval=2)

    def train(named: PreferenceRun) -> dict[str, torch.Tensor]:
        base, model = load_adapter(named)
        trainer = build_vote_trainer(named, base, model, "dpo", votes)
        train_to_end(trainer, named.checkpoints, find_latest(named.checkpoints)[0])
        assert trainer.state.global_step == 4
        return {k: v for k, v in model.named_parameters() if ".default." in k}

    whole = train(run)
    again = replace(run, name="tiny-again")
    with monkeypatch.context() as patched:

        def interrupt(checkpoint: Path) -> None:
            seal(checkpoint)
            os.kill(os.getpid(), signal.SIGINT)

        patched.setattr(checkpoints, "seal", interrupt)
        with pytest.raises(KeyboardInterrupt):
            train(again)
    continued = train(again)
    assert all(torch.equal(whole[name], continued[name]) for name in whole)


def test_bits_a_byte_are_of_examples_that_are_not_cut(tuned_place: Workspace, show: Show) -> None:
    _, held_out = read_examples(tuned_place.data("tiny"))
    base, model = load_adapter(make_run(tuned_place, show, []))
    lengths = sorted(len(ids) for ids, _ in encode_examples(base.tokenizer, held_out, 1024))
    middle = lengths[len(lengths) // 2]
    whole, some = (
        measure_held_out(base, model, held_out, most, read_losses) for most in (1024, middle)
    )
    assert some.bits == pytest.approx(whole.bits, rel=0.05)
    with pytest.raises(UserError, match="no held-out example is shorter than 10 tokens"):
        measure_held_out(base, model, held_out, 10, read_losses)


def test_few_votes_are_refused_or_only_their_chosen_texts_are_learned(
    tuned_place: Workspace, show: Show
) -> None:
    votes = make_votes(list_lines(tuned_place, show), show, count_questions, 24)
    run = make_run(tuned_place, show, votes)
    with pytest.raises(UserError, match=r"24 votes of the 200 .* say --best-of-n"):
        tune(run)
    lineage = read_manifest(tune(replace(run, best_of_n=True))).lineage
    assert lineage
    assert (lineage.method, lineage.votes) == ("best-of-n", 24)


def test_an_adapter_of_examples_is_never_replaced(tuned_place: Workspace, show: Show) -> None:
    with pytest.raises(
        UserError, match="--name tiny: an adapter of this name is not one of votes"
    ):
        resolve_preference_run(show, (), tuned_place, name="tiny")
    with pytest.raises(UserError, match="no adapter here"):
        resolve_preference_run(show, (), tuned_place, adapter="none")
    with pytest.raises(UserError, match="--name 'A B'"):
        resolve_preference_run(show, (), tuned_place, name="A B")


def test_a_file_that_holds_no_votes_is_one_message(tuned_place: Workspace, show: Show) -> None:
    file = tuned_place.root / "votes.jsonl"
    for text, reason in (("rubbish", "damaged"), ('{"prompt": 1}', "vote 1"), ("", "are empty")):
        file.write_text(text)
        with pytest.raises(UserError, match=reason) as caught:
            tune(resolve_preference_run(show, read_votes([file]), tuned_place))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--preferences", "x.jsonl", "--base", "pocket"], "--base: --preferences takes base"),
        (["--best-of-n"], "--best-of-n: only for --preferences"),
    ],
)
def test_options_that_do_not_belong_together_are_refused(options: list[str], message: str) -> None:
    result = CliRunner().invoke(app, ["--show", "unclaimed", *options])
    assert isinstance(result.exception, UserError)
    assert message in str(result.exception)
