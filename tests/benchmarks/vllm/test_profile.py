"""What a profile says of a step, from events as PyTorch's profiler writes them."""

from typing import Any

import pytest

from benchmarks.vllm.profile import describe, summarise


def kernel(name: str, start: float, took: float) -> dict[str, Any]:
    return {"cat": "kernel", "name": name, "ts": start, "dur": took}


LAUNCH = {"cat": "cuda_runtime", "name": "cudaGraphLaunch", "ts": 0.0, "dur": 5.0}


def test_time_is_given_to_kinds_and_what_overlaps_is_busy_once() -> None:
    events = [
        *(LAUNCH, LAUNCH),
        kernel("_lora_shrink_kernel", 0.0, 10.0),
        kernel("nvjet_sm90_tst_64x8", 5.0, 15.0),
        kernel("triton_red_fused_fused_add_rms_norm_marlin_gemm_0", 30.0, 10.0),
    ]
    found = summarise(events)
    assert (found.steps, found.step) == (2, 20.0)
    assert found.busy == pytest.approx(30 / 40)
    assert found.kinds == {
        "matrices": (0.5, 7.5),
        "adapter": (0.5, 5.0),
        "elementwise": (0.5, 5.0),
    }
    assert "75% busy" in describe(found)


def test_a_profile_of_nothing_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="without CUDA graphs"):
        summarise([kernel("nvjet", 0.0, 1.0)])
