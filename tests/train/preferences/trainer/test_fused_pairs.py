"""DPO by the fast path against TRL's own."""

import pytest
import torch
from transformers import Trainer

from nothing_gpt.show import Show
from nothing_gpt.workspace import Workspace
from tests.train.preferences.conftest import count_questions, list_lines, make_votes
from tests.train.preferences.test_tuning import make_run
from train.data.examples import read_examples
from train.export.held_out_loss import encode_examples, measure_loss, read_losses
from train.preferences.trainer.fused_pairs import choose_reader, pack_texts, reading_padded
from train.preferences.trainer.reference_adapter import used_reference
from train.preferences.trainer.vote_trainer import build_vote_trainer
from train.preferences.tuning import load_adapter

NOISE = {"loss": 5e-3, "eval_loss": 5e-3, "grad_norm": 2e-2, "logps/chosen": 0.3}
"""How far the paths may be apart in bf16. Dropout of the adapter, which tuning has none of, moves
the first loss by 0.005 and its gradient by 0.03."""


def train(place: Workspace, show: Show, *, fused: bool) -> Trainer:
    votes = make_votes(list_lines(place, show), show, count_questions, 12)
    settings = {"train_batch": 2, "accumulation": 2, "learning_rate": 1e-3, "warmup_steps": 0}
    run = make_run(place, show, votes, fused=fused, **settings)
    trainer = build_vote_trainer(run, *load_adapter(run), "dpo", votes)
    trainer.evaluate()
    trainer.train()
    trainer.evaluate()
    return trainer


def test_it_learns_the_same_as_the_plain_path(tuned_place: Workspace, show: Show) -> None:
    plain, fused = (
        train(tuned_place, show, fused=fused).state.log_history for fused in (False, True)
    )
    first = next(entry for entry in fused if "loss" in entry)
    assert first["rewards/margins"] == pytest.approx(0, abs=2e-3)
    compared = 0
    for before, after in zip(plain, fused, strict=True):
        for key in NOISE.keys() & before.keys():
            assert after[key] == pytest.approx(before[key], abs=NOISE[key]), key
            compared += 1
        assert not any("entropy" in key or "logits" in key for key in after)
    assert compared >= 11


def test_what_both_texts_begin_with_is_read_once() -> None:
    chosen, rejected, short = [1, 2, 3, 4, 5], [1, 2, 3, 6], [1, 2]
    pairs = [[chosen, rejected], [short, chosen], [rejected]]
    batch, places = pack_texts([[torch.tensor(text) for text in pair] for pair in pairs])
    ids, positions = batch["input_ids"][0].tolist(), batch["position_ids"][0].tolist()
    assert ids == [*chosen, 6, *short, 2, 3, 4, 5, *rejected]
    assert positions == [0, 1, 2, 3, 4, 3, 0, 1, 1, 2, 3, 4, 0, 1, 2, 3]
    assert batch["cu_seq_lens_q"].tolist() == [0, 5, 6, 8, 12, 16]
    assert batch["prefixes"] == [0, 3, 0, 1, 0]
    assert [where.tolist() for where in places] == [
        [0, 1, 2, 3, 4],
        [0, 1, 2, 5],
        [6, 7],
        [6, 8, 9, 10, 11],
        [12, 13, 14, 15],
    ]


def test_a_loss_is_that_of_the_plain_path_also_of_the_reference(
    tuned_place: Workspace, show: Show
) -> None:
    trainer = train(tuned_place, show, fused=True)
    model = trainer.model
    assert model is not None
    examples = encode_examples(
        trainer.processing_class, read_examples(tuned_place.data(show.name))[1][:4], 512
    )

    def measure() -> tuple[float, float]:
        fused, plain = (
            measure_loss(model, examples, read=read)
            for read in (choose_reader(trainer), read_losses)
        )
        return fused, plain

    with reading_padded(trainer):
        trained = measure()
        with used_reference(model):
            reference = measure()
        assert measure() == trained
    for fused, plain in (trained, reference):
        assert fused == pytest.approx(plain, abs=3e-3)
    assert abs(trained[0] - reference[0]) > 0.01
