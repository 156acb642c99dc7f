"""The memory of a training on a CPU, compared with peaks of real runs."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from train.__main__ import app
from train.config.profiles import load_profile
from train.data.lengths import Length, Lengths
from train.estimate.cpu_memory import PRODUCT_CACHES, cpu_bytes
from train.estimate.memory import GIB
from train.estimate.model_shape import SMOLLM2_135M

MEASURED: list[tuple[str, dict[str, Any], int, int, float]] = [
    ("laptop", {"max_length": 512}, 512, 512, 1.65),
    ("laptop", {}, 1004, 948, 2.18),
    ("laptop", {"eval_batch": 16, "rank": 8}, 1004, 948, 2.30),
    ("laptop", {"train_batch": 4}, 1004, 948, 4.35),
    ("reference", {"train_batch": 1}, 1004, 948, 2.26),
    ("reference", {"train_batch": 2, "max_length": 512}, 512, 512, 2.39),
    ("reference", {}, 1004, 948, 6.26),
    ("reference", {"train_batch": 1, "eval_batch": 1, "quantize": "nf4"}, 512, 512, 1.92),
]
"""Profile, changed settings, tokens of the longest examples trained and evaluated, peak GiB of the
process in two steps, of SmolLM2-135M on two cores with bf16 (RESULTS.md)."""

WHOLE_RUN = 3.0
"""The peak of `laptop` in 100 steps, after which torch's caches are full."""


@pytest.mark.parametrize(("profile", "changes", "trained", "evaluated", "peak"), MEASURED)
def test_peaks_are_within_a_tenth_of_the_measured(
    profile: str, changes: dict[str, Any], trained: int, evaluated: int, peak: float
) -> None:
    config = replace(load_profile(profile), **changes)
    lengths = Lengths([Length(trained, trained)] * 16, [Length(evaluated, evaluated)] * 16)
    found = cpu_bytes(SMOLLM2_135M, config, lengths, fast_bf16=True)
    caches = 0 if config.quantize == "nf4" else PRODUCT_CACHES  # NF4 is computed in float32
    assert (found - caches) / GIB == pytest.approx(peak, rel=0.1)


def test_a_run_of_many_steps_fills_the_caches() -> None:
    lengths = Lengths([Length(1004, 1004)] * 16, [Length(948, 948)] * 16)
    found = cpu_bytes(SMOLLM2_135M, load_profile("laptop"), lengths, fast_bf16=True) / GIB
    assert found == pytest.approx(WHOLE_RUN, rel=0.1)


@pytest.mark.skipif(torch.cuda.is_available(), reason="of a machine without a GPU")
@pytest.mark.parametrize(
    ("base", "profiles"),
    [("smollm2", ["laptop", "reference", "fast", "small"]), ("pocket", ["pocket"])],
)
def test_a_machine_without_a_gpu_is_planned_for_too(base: str, profiles: list[str]) -> None:
    found = CliRunner().invoke(app, ["--plan", "--base", base])
    assert found.exit_code == 0, found.output
    table = found.output[found.output.index("on this machine") :].splitlines()
    assert [row.split()[0] for row in table[2:]] == profiles
    assert "on this machine" not in CliRunner().invoke(app, ["--plan", "--gpu", "L4"]).output
