"""The fast path from end to end: what it learns is what the plain path learns."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from nothing_gpt.show import Show
from nothing_gpt.workspace import Workspace
from tests.train.conftest import RECIPE
from train.base_model.loading import load_base
from train.base_model.pocket_training import ensure_pocket_base
from train.config.profiles import load_profile
from train.config.run import resolve_run
from train.config.training_config import TrainingConfig
from train.data.examples import read_examples
from train.trainer_factory import build_trainer

STEPS = 50
PLAIN = replace(
    load_profile("pocket"),
    rank=8,
    dropout=0.0,
    max_length=128,
    train_batch=1,
    accumulation=2,
    max_steps=STEPS,
    log_interval=1,
)
FUSED = replace(PLAIN, train_batch=2, accumulation=1, fused=True)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Idle threads that spin make such small steps several times slower beside other work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def make_trainer(prepared: tuple[Show, Workspace], tmp_path: Path) -> Callable[..., Any]:
    """Builds trainers on the prepared workspace, which they only read."""
    show, workspace = prepared
    training, held_out = read_examples(workspace.data(show.name))
    ensure_pocket_base(workspace.base(show.name), training, RECIPE)

    def make(config: TrainingConfig) -> Any:
        run = replace(resolve_run(show, "pocket", config, workspace), checkpoints=tmp_path)
        loaded = load_base(run.base, run.base_source, quantize="nf4")
        trainer = build_trainer(run, config, loaded, training, held_out[:4])
        trainer.args.save_strategy = trainer.args.eval_strategy = "no"
        trainer.args.eval_on_start = False
        return trainer

    return make


def test_loss_curves_agree(make_trainer: Callable[..., Any]) -> None:
    curves = []
    for config in (PLAIN, FUSED):
        trainer = make_trainer(config)
        trainer.train()
        curves.append([e["loss"] for e in trainer.state.log_history if "loss" in e])
    plain, fused = curves
    assert len(plain) == STEPS
    assert plain[-1] < plain[0]
    assert fused == pytest.approx(plain, rel=0.005)


def test_labels_and_boundaries_token_by_token(
    prepared: tuple[Show, Workspace], make_trainer: Callable[..., Any]
) -> None:
    """In one row: each document's completion and stop token are learned, nothing else is."""
    training, _ = read_examples(prepared[1].data(prepared[0].name))
    trainer = make_trainer(replace(FUSED, max_length=1024))
    batch = next(iter(trainer.get_train_dataloader()))
    starts = batch["cu_seq_lens_q"].tolist()
    assert starts[-1] == batch["input_ids"].numel() == batch["position_ids"].numel()
    stop = trainer.processing_class.eos_token_id
    answers = {e["completion"][0]["content"] for e in training}
    for start, end in pairwise(starts):
        ids, labels = batch["input_ids"][0, start:end], batch["labels"][0, start:end]
        assert batch["position_ids"][0, start:end].tolist() == list(range(end - start))
        learned = labels != -100
        first = int(learned.nonzero()[0])
        assert learned[first:].all()
        assert first > 0
        assert ids[learned].equal(labels[learned])
        assert labels[-1] == stop
        assert trainer.processing_class.decode(labels[first:-1]) in answers


def test_examples_are_cut_to_length(make_trainer: Callable[..., Any]) -> None:
    trainer = make_trainer(replace(FUSED, max_length=64))
    assert max(len(ids) for ids in trainer.train_dataset["input_ids"]) == 64
