"""DPO by the fast path against TRL's own."""

from typing import Any

import pytest

from nothing_gpt.show import Show
from nothing_gpt.workspace import Workspace
from tests.train.preferences.conftest import count_questions, list_lines, make_votes
from tests.train.preferences.test_tuning import make_run
from train.preferences.trainer.vote_trainer import build_vote_trainer
from train.preferences.tuning import load_adapter

NOISE = {"loss": 5e-3, "eval_loss": 5e-3, "grad_norm": 2e-2, "logps/chosen": 0.3}
"""How far the paths may be apart in bf16. Dropout of the adapter, which tuning has none of, moves
the first loss by 0.005 and its gradient by 0.03."""


def train(place: Workspace, show: Show, *, fused: bool) -> list[dict[str, Any]]:
    votes = make_votes(list_lines(place, show), show, count_questions, 12)
    settings = {"train_batch": 2, "accumulation": 2, "learning_rate": 1e-3, "warmup_steps": 0}
    run = make_run(place, show, votes, fused=fused, **settings)
    trainer = build_vote_trainer(run, *load_adapter(run), "dpo", votes)
    trainer.evaluate()
    trainer.train()
    trainer.evaluate()
    return trainer.state.log_history


def test_it_learns_the_same_as_the_plain_path(tuned_place: Workspace, show: Show) -> None:
    plain, fused = (train(tuned_place, show, fused=fused) for fused in (False, True))
    first = next(entry for entry in fused if "loss" in entry)
    assert first["rewards/margins"] == pytest.approx(0, abs=2e-3)
    compared = 0
    for before, after in zip(plain, fused, strict=True):
        for key in NOISE.keys() & before.keys():
            assert after[key] == pytest.approx(before[key], abs=NOISE[key]), key
            compared += 1
        assert not any("entropy" in key or "logits" in key for key in after)
    assert compared >= 11
