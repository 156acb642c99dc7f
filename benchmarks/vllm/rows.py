"""Configurations of vLLM that `benchmarks.vllm.throughput` compares."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.vllm.shapes import TARGETS
from serve.vllm.arguments import list_switches, list_tuning

RANK = 32


@dataclass(frozen=True, slots=True)
class BenchmarkRow:
    """One server to measure: its weights, flags, environment and loads.

    Attributes:
        weights: A key of `benchmarks.vllm.shapes.WEIGHTS`.
        arguments: Flags in addition to the common ones.
        environment: Variables; `{cache}` is replaced by a folder that several servers share.
        streams: The measurements: concurrent requests, and new tokens of each request.
        extras: Whether to measure the cast lock and a show's sampling too.
    """

    weights: str = "bf16"
    adapter: bool = False
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    streams: tuple[tuple[int, int], ...] = ((1, 256), (32, 256), (128, 256))
    extras: bool = False


_TUNING = tuple(list_tuning(128))
_SWITCHES = list_switches(Path("{cache}"))
_ALL_BUT_TILES = {k: v for k, v in _SWITCHES.items() if k != "VLLM_TUNED_CONFIG_FOLDER"}
# Only the modules that training changes; by default vLLM wraps the input and output matrices too.
_ADAPTER = (*_TUNING, "--lora-target-modules", *TARGETS)
_FP8_CACHE = ("--kv-cache-dtype", "fp8")
_FP8 = (*_TUNING, *_FP8_CACHE)
_INT4 = (*_FP8, "--linear-backend", "marlin")
_DUAL = _SWITCHES | {"VLLM_LORA_ENABLE_DUAL_STREAM": "1"}

# The most valuable rows come first: a run that has too little time skips the last ones.
ROWS = {
    # An adapter with the flags of `serve`; then once more, to time a start with a warm cache.
    "deployed": BenchmarkRow("bf16", True, _ADAPTER, _SWITCHES, extras=True),
    "deployed-again": BenchmarkRow(
        "bf16", True, _ADAPTER, _SWITCHES, streams=((1, 256), (32, 256))
    ),
    # The same flags with merged weights in fp8.
    "fp8": BenchmarkRow("fp8", False, _FP8, _SWITCHES, extras=True),
    "reference": BenchmarkRow(
        "bf16",
        True,
        ("--dtype", "half", "--enforce-eager", "--max-num-seqs", "32"),
        streams=((1, 32), (32, 64)),
    ),
    "bf16": BenchmarkRow("bf16", False, _TUNING, _SWITCHES),
    # The adapter's products on a second stream.
    "dual": BenchmarkRow("bf16", True, _ADAPTER, _DUAL),
    "own-tiles": BenchmarkRow("bf16", True, _ADAPTER, _ALL_BUT_TILES),
    "all-modules": BenchmarkRow("bf16", True, _TUNING, _SWITCHES),
    "adapter-fp8": BenchmarkRow("fp8", True, (*_ADAPTER, *_FP8_CACHE), _SWITCHES),
    "int4": BenchmarkRow("int4", False, _INT4, _SWITCHES),
    # Weights in fp8 but arithmetic in bf16: activations are not quantised.
    "fp8-marlin": BenchmarkRow(
        "fp8", False, _FP8, _SWITCHES | {"VLLM_TEST_FORCE_FP8_MARLIN": "1"}
    ),
    "fp8-torch": BenchmarkRow("fp8", False, (*_FP8, "--linear-backend", "torch"), _SWITCHES),
    "fp8-interval": BenchmarkRow("fp8", False, (*_FP8, "--stream-interval", "8"), _SWITCHES),
    "int4-head": BenchmarkRow("int4-head", False, _INT4, _SWITCHES),
    # vLLM's own choice of a kernel on Hopper.
    "int4-machete": BenchmarkRow("int4", False, _FP8, _SWITCHES),
    # vLLM's defaults, which `serve` used at first.
    "plain": BenchmarkRow("bf16", True, ("--max-num-seqs", "128")),
}

SMOKE = {
    "adapter": BenchmarkRow(
        "bf16", True, ("--enforce-eager",), streams=((1, 8), (4, 8)), extras=True
    ),
    "bf16": BenchmarkRow(
        "bf16", False, ("--enforce-eager", "--stream-interval", "8"), streams=((2, 8),)
    ),
}
"""Two rows for a machine without a GPU."""


def list_arguments(row: BenchmarkRow, models: Path, memory: float | None) -> list[str]:
    """Return vLLM's arguments; `memory` is its share of the GPU's memory, None on a CPU."""
    pairs = {
        "--model": str(models / row.weights),
        "--served-model-name": "base",
        "--load-format": "dummy",
        "--max-model-len": "2048",
        "--structured-outputs-config": json.dumps({"backend": "guidance"}),
    }
    if "--dtype" not in row.arguments:
        pairs["--dtype"] = "bfloat16"
    if memory is not None:
        pairs["--gpu-memory-utilization"] = f"{memory:.4f}"
    if row.adapter:
        pairs |= {"--max-lora-rank": str(RANK), "--max-loras": "1"}
        pairs["--lora-modules"] = f"adapter={models / 'adapter'}"
    flags = ["--enable-lora"] if row.adapter else []
    flags += ["--disable-uvicorn-access-log", *row.arguments]
    return [*(part for pair in pairs.items() for part in pair), *flags]
