"""The plan that is printed before a run, and what it refuses."""

from dataclasses import replace

import pytest

from nothing_gpt.errors import UserError
from nothing_gpt.hardware.gpus import GPUS, find_gpu, find_gpus
from train.config.base_names import REFERENCE_BASE
from train.config.training_config import TrainingConfig
from train.data.chat_example import ChatExample
from train.estimate.plan import Plan, make_plan

CHARACTERS = 4 * 731  # the mean of the Seinfeld examples


def examples(count: int) -> list[ChatExample]:
    return [{"prompt": [{"content": "x" * CHARACTERS}], "completion": []}] * count


def plan(gpu: str = "L4", base: str = REFERENCE_BASE, **changes: int) -> Plan:
    config = replace(TrainingConfig(), **changes)  # type: ignore[arg-type]
    return make_plan(base, config, GPUS[gpu], examples(9007), examples(1021))


def test_the_reference_run() -> None:
    found = plan()
    assert (found.examples, found.steps) == (9007, 563)
    assert 0.5 < found.hours < 4
    assert found.dollars == pytest.approx(found.hours * 0.80)
    assert 3 < found.memory < 22
    assert str(found).startswith("9,007 examples, 563 steps on L4 in bf16: about ")


def test_more_arithmetic_takes_less_time() -> None:
    assert plan("H100").hours < plan("L40S").hours < plan("L4").hours


def test_what_would_not_fit_is_refused_with_what_does() -> None:
    mend = "train_batch 64 -> 32, accumulation 1 -> 2"
    with pytest.raises(UserError, match=mend):
        plan("L4", train_batch=64, accumulation=1)
    with pytest.raises(UserError, match="eval_batch 128 -> 64; or a larger GPU"):
        plan("L4", eval_batch=128)


def test_a_base_that_is_too_large() -> None:
    with pytest.raises(UserError, match=r"Large-70B-Instruct does not fit a L4 \(24 GB\)"):
        plan(base="org/Large-70B-Instruct", max_length=512)
    assert plan("A100-80GB", base="org/Large-70B-Instruct", train_batch=1).hours > 0


def test_a_base_whose_name_tells_no_size() -> None:
    assert "no estimate" in str(plan(base="org/phi"))


def test_gpus_by_name() -> None:
    assert find_gpu("l4").name == find_gpu("L4:1").name == "L4"
    with pytest.raises(UserError, match="no GPU 'L5'; there are: T4, L4"):
        find_gpu("L5")
    with pytest.raises(UserError, match="one is used here; say L4"):
        find_gpu("L4:4")
    assert find_gpus("l4:4") == (GPUS["L4"], 4)
    assert find_gpus("A100-80GB") == (GPUS["A100-80GB"], 1)
    for name in ("L4:0", "L4:9", "L4:", "L4:x", "L4:-1"):
        with pytest.raises(UserError, match="say how many from 1 to 8, as in L4:4"):
            find_gpus(name)
