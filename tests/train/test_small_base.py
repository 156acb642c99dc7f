"""A small pretrained base: imported from GGUF, tuned in full precision by the fast path."""

import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nothing_gpt.adapter.manifest import read_manifest
from nothing_gpt.errors import UserError
from nothing_gpt.show import Show
from nothing_gpt.workspace import Workspace
from tests.train.base_model.tiny_gguf import write_gguf
from train.base_model.loading import load_base
from train.config.profiles import load_profile
from train.config.run import resolve_config, resolve_run
from train.config.training_config import TrainingConfig
from train.finetuning import finetune

SHORT = replace(
    load_profile("laptop"),
    max_steps=6,
    rank=4,
    alpha=4,
    checkpoint_interval=2,
    max_length=4096,
)


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    write_gguf(tmp_path / "tiny-llama.gguf", context=4096)
    return tmp_path / "tiny-llama.gguf"


def test_a_gguf_file_is_tuned_and_its_loss_told_in_bits_a_byte(
    show: Show, workspace: Workspace, gguf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = resolve_run(show, str(gguf), SHORT, workspace)
    manifest = read_manifest(finetune(run))
    said = capsys.readouterr().out
    assert manifest.base.id == "tiny-llama"
    assert manifest.config["quantized"] is False
    assert "full precision" in said
    metrics = manifest.metrics
    assert metrics["eval_loss"] < metrics["base_eval_loss"]
    # A token of this vocabulary is a byte, but for the ends of completions and one merge.
    for key in ("", "base_"):
        bits = metrics[f"{key}eval_bits_per_byte"]
        assert bits == pytest.approx(metrics[f"{key}eval_loss"] / math.log(2), rel=0.1)
    assert f"{metrics['eval_bits_per_byte']:.3f} bits a byte" in said
    assert "changes nothing" not in said
    finetune(run)
    assert "up to date" in capsys.readouterr().out


def test_an_adapter_that_changes_nothing_is_said(
    show: Show, workspace: Workspace, gguf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    idle = replace(SHORT, learning_rate=1e-30, max_steps=2, max_eval_examples=2)
    run = resolve_run(show, str(gguf), idle, workspace)
    folder = finetune(run)
    warning = "changes nothing that tiny-llama says"
    assert f"warning: adapter 'tiny' {warning}" in capsys.readouterr().out
    assert f"**Warning:** adapter 'tiny' {warning}" in (folder / "report.md").read_text()
    finetune(run)
    said = capsys.readouterr().out
    assert "up to date" in said
    assert f"warning: adapter 'tiny' {warning}" in said


def test_another_file_of_the_same_name_is_imported_again(
    show: Show, workspace: Workspace, gguf: Path
) -> None:
    run = resolve_run(show, str(gguf), SHORT, workspace)
    first = read_manifest(finetune(run)).base
    write_gguf(gguf, context=4096, seed=1)
    second = read_manifest(finetune(run)).base
    assert second.id == first.id
    assert second.fingerprint != first.fingerprint


def test_a_gguf_file_named_like_another_base_does_not_replace_it(
    show: Show, workspace: Workspace, gguf: Path
) -> None:
    kept = workspace.base(show.name) / "config.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text("{}")
    file = gguf.rename(gguf.with_name(f"pocket-{show.name}.gguf"))
    with pytest.raises(UserError, match=f"{kept.parent}: another base .*; rename {file}"):
        finetune(resolve_run(show, str(file), SHORT, workspace))
    assert kept.read_text() == "{}"


def test_a_base_with_fewer_positions_than_an_example_has_tokens_is_refused(
    show: Show, workspace: Workspace, gguf: Path
) -> None:
    write_gguf(gguf, context=64)
    message = r"reads at most 64 tokens, and an example has [\d,]+; .*--set max_length=64"
    with pytest.raises(UserError, match=message):
        finetune(resolve_run(show, str(gguf), SHORT, workspace))


def test_small_bases_are_not_quantised_unless_asked(
    show: Show, workspace: Workspace, gguf: Path
) -> None:
    run = resolve_run(show, str(gguf), SHORT, workspace)
    finetune(run)
    assert not load_base(run.base, run.base_source).quantized
    assert load_base(run.base, run.base_source, quantize="nf4").quantized


def test_smollm2_has_a_profile_of_its_own() -> None:
    assert resolve_config("smollm2") == load_profile("laptop")
    assert resolve_config("smollm2", "reference") == TrainingConfig()
    assert resolve_config("some/hub-id") == TrainingConfig()
    settings = {"quantize": "none"}
    assert resolve_config("some/hub-id", settings=settings).quantize == "none"


def test_an_unknown_precision_is_refused_with_those_there_are() -> None:
    command = [sys.executable, "-m", "train", "--show", "unclaimed", "--quantize", "int3"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "error: --set: quantize = 'int3': input should be 'auto', 'nf4' or 'none'"
    )


@pytest.mark.parametrize(
    ("steps", "warmup", "evaluations", "checkpoints"),
    [(563, 50, 50, 50), (30, 5, 15, 15), (1, 0, 1, 1)],
)
def test_the_schedule_fits_the_length_of_the_run(
    steps: int, warmup: int, evaluations: int, checkpoints: int
) -> None:
    assert TrainingConfig().fit_warmup(steps) == warmup
    assert TrainingConfig().fit_eval_interval(steps) == evaluations
    assert TrainingConfig().fit_checkpoint_interval(steps) == checkpoints


@given(
    steps=st.integers(1, 2000),
    cost=st.floats(1e-4, 10),
    interval=st.integers(1, 500),
    share=st.floats(0.01, 0.9),
    patience=st.none() | st.integers(1, 5),
    whole=st.just(0.0) | st.floats(1e-4, 10),
)
def test_evaluations_in_between_take_no_more_than_their_share(
    steps: int, cost: float, interval: int, share: float, patience: int | None, whole: float
) -> None:
    config = replace(TrainingConfig(), eval_interval=interval, eval_share=share, patience=patience)
    found = config.fit_eval_interval(steps, cost, whole)
    assert config.fit_eval_interval(steps) <= found <= steps
    between = (steps - 1) // found
    least = 1 + (patience or 0)
    evaluations = 2 + between
    assert between <= least or evaluations * cost + whole <= share / (1 - share) * (1 + 1e-9)
    # What early stopping and the best checkpoint need is left, if it was there.
    assert between >= min(least, (steps - 1) // config.fit_eval_interval(steps)) - 1
    assert replace(config, eval_share=1.0).fit_eval_interval(
        steps, cost, whole
    ) == config.fit_eval_interval(steps)


@pytest.mark.parametrize("steps", [*range(1, 16), 30, 563])
def test_a_run_of_any_length_trains_at_its_full_rate(steps: int) -> None:
    import torch
    from transformers import get_cosine_schedule_with_warmup

    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    warmup = TrainingConfig().fit_warmup(steps)
    schedule = get_cosine_schedule_with_warmup(optimizer, warmup, steps)
    rates = []
    for _ in range(steps):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    assert max(rates) == 1.0
