"""Estimates of runs, compared with measurements and with the failures in the report."""

from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner

from nothing_gpt.errors import UserError
from nothing_gpt.hardware.gpus import GPUS
from train.__main__ import app
from train.config.profiles import load_profile
from train.config.training_config import TrainingConfig
from train.data.lengths import Lengths, count_batches, reference_lengths
from train.estimate.memory import GIB, RESERVE, USABLE, training_bytes
from train.estimate.memory_fit import find_fitting, find_largest, fits
from train.estimate.model_shape import LLAMA_3B, SMOLLM2_135M
from train.estimate.plan import estimate, make_plan

PATHS: dict[str, TrainingConfig] = {
    "reference": TrainingConfig(),
    "trl": TrainingConfig(),
    "trl-kept": replace(TrainingConfig(), gradient_checkpointing=False),
    "fused": load_profile("fast"),
}

MEASURED = [
    ("reference", 32, 22, 4180, 9.41),
    ("reference", 32, 22, 1888, 5.73),
    ("reference", 32, 15, 803, 3.98),
    ("reference", 32, 40, 8600, 16.51),
    ("reference", 64, 40, 4180, 9.95),
    ("trl", 32, 8, 803, 3.07),
    ("trl", 32, 22, 4180, 4.26),
    ("trl", 32, 15, 8600, 5.91),
    ("trl", 32, 40, 22000, 10.94),
    ("trl", 16, 15, 4180, 3.99),
    ("trl-kept", 32, 40, 1888, 11.77),
    ("fused", 32, 8, 2865, 7.09),
    ("fused", 32, 15, 13266, 13.08),
    ("fused", 32, 22, 13266, 19.57),
    ("fused", 32, 22, 25780, 19.20),
    ("fused", 32, 139, 14221, 36.97),
]
"""Path, rank, cap in GiB, tokens of the largest micro-batch, peak GiB allocated, on an H200 with
random weights of Llama 3.2 3B (RESULTS.md, benchmarks.train.memory)."""


@pytest.mark.parametrize(("path", "rank", "cap", "tokens", "peak"), MEASURED)
def test_peaks_are_within_a_tenth_of_the_measured(
    path: str, rank: int, cap: int, tokens: int, peak: float
) -> None:
    config = replace(PATHS[path], rank=rank)
    allowed = round(cap * GIB * USABLE) - RESERVE
    found = training_bytes(LLAMA_3B, config, [tokens], allowed, full_logits=path == "reference")
    assert found / GIB == pytest.approx(peak, rel=0.1)


def report_fits(gpu: str, **changes: Any) -> bool:
    """Whether the report's own library, which held all logits, would have run."""
    config = replace(TrainingConfig(), **changes)
    lengths = reference_lengths(config.max_length)
    return fits(LLAMA_3B, config, GPUS[gpu], lengths, full_logits=True)


@pytest.mark.parametrize(
    ("gpu", "changes"),
    [
        ("T4", {"rank": 16, "max_length": 1024, "eval_batch": 4}),
        ("L4", {"eval_batch": 4}),
        ("L4", {"train_batch": 8, "accumulation": 2}),
        ("L4", {"train_batch": 8, "accumulation": 2, "rank": 64}),
    ],
)
def test_what_ran_out_of_memory_for_the_report_does_so_here(
    gpu: str, changes: dict[str, int]
) -> None:
    assert not report_fits(gpu, **changes)


@pytest.mark.parametrize(
    ("gpu", "changes"),
    [
        ("T4", {"rank": 16, "max_length": 512}),
        ("T4", {"max_length": 512}),
        ("L4", {}),
        ("L4", {"rank": 64}),
    ],
)
def test_what_ran_for_the_report_does_so_here(gpu: str, changes: dict[str, int]) -> None:
    assert report_fits(gpu, **changes)


def test_the_largest_micro_batch_is_the_last_that_fits() -> None:
    lengths = reference_lengths(2048)
    for config in (TrainingConfig(), load_profile("fast")):
        largest = find_largest(LLAMA_3B, config, GPUS["L4"], lengths.training)
        assert largest > config.train_batch
        fitting = replace(config, train_batch=largest)
        assert find_fitting(LLAMA_3B, fitting, GPUS["L4"], lengths) == fitting
        beyond = replace(config, train_batch=largest + 1, accumulation=1)
        found = find_fitting(LLAMA_3B, beyond, GPUS["L4"], lengths)
        assert found
        assert found.train_batch == (largest + 1) // 2


def test_reference_lengths_are_the_reported_ones() -> None:
    lengths = [length.whole for length in reference_lengths(2048).training]
    assert (len(lengths), min(lengths), max(lengths)) == (9007, 315, 1506)
    assert sum(lengths) / len(lengths) == pytest.approx(731, rel=0.01)


def test_padding_is_what_the_longest_asks_for() -> None:
    lengths = reference_lengths(2048).training
    plain = count_batches(lengths, 4, padded=False)
    padded = count_batches(lengths, 4, padded=True)
    assert sum(plain) == sum(length.whole for length in lengths)
    assert all(a <= b for a, b in zip(plain, padded, strict=True))


def test_the_fast_path_needs_bf16() -> None:
    data = [{"prompt": [{"content": "x" * 800}], "completion": [{"content": "y" * 2000}]}] * 100
    with pytest.raises(UserError, match="needs bf16, which a T4 has not: --profile reference"):
        make_plan("org/Llama-3.2-3B", load_profile("fast"), GPUS["T4"], data, data)


@pytest.mark.parametrize("gpu", ["L4", "T4", "A10", "H100"])
def test_profiles_are_tabulated_before_there_is_any_data(gpu: str) -> None:
    found = CliRunner().invoke(app, ["--plan", "--gpu", gpu])
    assert found.exit_code == 0, found.output
    rows = found.output.splitlines()
    assert f"on one {gpu}:" in rows[0]
    assert [row[:20].strip() for row in rows[-5:]] == [
        "the report's library",
        "reference",
        "fast",
        "small",
        "400 votes",
    ]
    assert ("needs bf16" in found.output) == (gpu == "T4")


def test_a_small_base_needs_the_memory_of_its_graphs() -> None:
    """14.4 GiB reserved on an H100 with batches of up to 15,360 tokens (RESULTS.md)."""
    config = replace(load_profile("fast"), quantize="none")
    peak = training_bytes(SMOLLM2_135M, config, [15_360], 70 * GIB) / GIB
    assert peak == pytest.approx(14.4, rel=0.05)


def test_the_table_is_of_the_base_that_was_named() -> None:
    found = CliRunner().invoke(app, ["--plan", "--base", "smollm2", "--gpu", "L4"])
    assert found.output.startswith("smollm2 on one L4")
    (reference,) = (line for line in found.output.splitlines() if line.startswith("reference"))
    assert float(reference.split()[4]) < 1  # GiB, where the 3B takes 5


def test_an_epoch_on_an_l4_with_its_evaluations_takes_at_most_52_minutes() -> None:
    lengths = reference_lengths(2048)
    plan = estimate("org/Llama-3.2-3B", LLAMA_3B, load_profile("small"), GPUS["L4"], lengths)
    assert plan.hours <= 52 / 60
    assert plan.dollars <= 0.70


@pytest.mark.parametrize(("held_out", "again"), [(257, True), (256, False)])
def test_a_sample_that_is_all_there_is_is_not_evaluated_again(
    held_out: int, *, again: bool
) -> None:
    whole = reference_lengths(2048)
    lengths = Lengths(whole.training, whole.held_out[:held_out])
    config = replace(load_profile("small"), eval_interval=0)

    def plan(config: TrainingConfig) -> float:
        return estimate("org/Llama-3.2-3B", LLAMA_3B, config, GPUS["L4"], lengths).hours

    assert (plan(config) > plan(replace(config, all_at_end=False))) == again
