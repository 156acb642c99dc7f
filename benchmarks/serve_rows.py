"""The configurations of vLLM that `serve_throughput` compares, and the kernels' table for LoRA."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from serve.vllm import list_tuning

RANK = 32


@dataclass(frozen=True, slots=True)
class Row:
    """One server: what it loads, what it is told, and what is asked of it.

    Attributes:
        weights: A kind of `serve_shapes.WEIGHTS`.
        arguments: Flags besides the common ones.
        environment: Variables; `{kernels}` stands for the folder of the kernels' table.
        streams: How many requests at once, each a measurement; with tokens asked for.
        extras: Also measured with the cast lock and with a show's sampling.
    """

    weights: str = "bf16"
    adapter: bool = False
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    streams: tuple[tuple[int, int], ...] = ((1, 256), (32, 256), (128, 256))
    extras: bool = False


_DEPLOYED = tuple(list_tuning(128))
_TUNED = (*_DEPLOYED, "--stream-interval", "8")
# The engine's process as a copy of the API's: importing everything again took 20 s.
_STARTUP = {"VLLM_ENABLE_STARTUP_PLAN": "1", "VLLM_WORKER_MULTIPROC_METHOD": "fork"}
_TABLE = _STARTUP | {"VLLM_TUNED_CONFIG_FOLDER": "{kernels}"}
_DUAL = _TABLE | {"VLLM_LORA_ENABLE_DUAL_STREAM": "1"}
_MARLIN = _STARTUP | {"VLLM_TEST_FORCE_FP8_MARLIN": "1"}
_FP8_CACHE = ("--kv-cache-dtype", "fp8")
_MARLIN_ONLY = ("--linear-backend", "marlin")

# By value: whatever the time does not suffice for is left out from the end.
ROWS = {
    # As `serve` starts it now.
    "deployed": Row("bf16", True, _DEPLOYED, extras=True),
    "adapter": Row("bf16", True, _TUNED, _DUAL),
    "fp8": Row("fp8", False, (*_TUNED, *_FP8_CACHE), _STARTUP),
    "int4": Row("int4", False, (*_TUNED, *_FP8_CACHE, *_MARLIN_ONLY), _STARTUP),
    # The same again: its start-up is that with a warm compile cache.
    "adapter-again": Row("bf16", True, _TUNED, _DUAL, streams=((1, 256), (32, 256)), extras=True),
    "reference": Row(
        "bf16",
        True,
        ("--dtype", "half", "--enforce-eager", "--max-num-seqs", "32"),
        streams=((1, 32), (32, 64)),
    ),
    "bf16": Row("bf16", False, _TUNED, _STARTUP),
    "adapter-fp8": Row("fp8", True, (*_TUNED, *_FP8_CACHE), _DUAL),
    # One stream for LoRA and the layers, with the table alone.
    "adapter-one-stream": Row("bf16", True, _TUNED, _TABLE),
    # Weights in fp8, arithmetic in bf16: nothing to quantise at one stream.
    "fp8-marlin": Row("fp8", False, (*_TUNED, *_FP8_CACHE), _MARLIN),
    "fp8-torch": Row("fp8", False, (*_TUNED, *_FP8_CACHE, "--linear-backend", "torch"), _STARTUP),
    "int4-head": Row("int4-head", False, (*_TUNED, *_FP8_CACHE, *_MARLIN_ONLY), _STARTUP),
    # What vLLM chooses on Hopper.
    "int4-machete": Row("int4", False, (*_TUNED, *_FP8_CACHE), _STARTUP),
    # vLLM's own choices, as `serve` had them once.
    "adapter-plain": Row("bf16", True, ("--max-num-seqs", "128")),
    "fp8-again": Row("fp8", False, (*_TUNED, *_FP8_CACHE), _STARTUP, extras=True),
}

SMOKE = {
    "adapter": Row("bf16", True, ("--enforce-eager",), streams=((1, 8), (4, 8)), extras=True),
    "bf16": Row("bf16", False, ("--enforce-eager", "--stream-interval", "8"), streams=((2, 8),)),
}
"""Two rows for a machine without a GPU."""


def list_arguments(row: Row, models: Path, memory: float | None) -> list[str]:
    """Make vLLM's arguments; `memory` is the share of the GPU, None where there is none."""
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


def write_kernels(folder: Path, device: str) -> None:
    """Write the table of tile sizes that vLLM's LoRA kernels look themselves up in.

    vLLM's defaults split a sum of 3,072 in 64 parts of 256, of which 52 are empty and are added
    all the same, and compute 64 rows where there is one. Keyed by adapters + 1, slices (3 for
    q, k, v; 2 for gate and up), tokens, and the matrix's two sides; the nearest key counts.
    The sizes are near the best of 26 drawn for each key, on an H100.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = device.replace(" ", "_").replace("-", "_")
    tokens, sums, widths = (1, 16, 32, 64, 128, 256, 512, 1024, 2048), (3072, 8192), (3072, 8192)
    shrink = {
        str(slices): {
            str(m): {str(k): {str(RANK): _shrink(m, k, slices)} for k in sums} for m in tokens
        }
        for slices in (1, 2, 3)
    }
    expand = {
        str(slices): {
            str(m): {str(RANK): {str(n): _expand(m, slices) for n in widths}} for m in tokens
        }
        for slices in (1, 2, 3)
    }
    files = {"SHRINK": shrink, "EXPAND_TRUE": expand, "EXPAND_FALSE": expand}
    for name, table in files.items():
        (folder / f"{stem}_{name}.json").write_text(json.dumps({"2": table}))


def _shrink(tokens: int, inner: int, slices: int) -> dict[str, int | None]:
    """Give the tiles of a product with A; `inner` is the length of the sum."""
    short = inner <= 3072
    if tokens <= 64:
        rows, step, parts, stages = (16 if tokens <= 16 else 32), 128, (24 if short else 32), 2
    elif tokens <= 256:
        rows, step, parts, stages = 32, 64, (24 if short else 64), 3
    elif short:
        rows, step, parts, stages = 128, 64, (8 if slices == 1 else 4), 3
    else:
        rows, step, parts, stages = 64, 64, 8, 2
    tiles = {"block_m": rows, "block_n": RANK, "block_k": step, "split_k": parts}
    return {**tiles, "num_warps": 4, "num_stages": stages, **_COMMON, "group_size_m": 8}


def _expand(tokens: int, slices: int) -> dict[str, int | None]:
    """Give the tiles of a product with B."""
    few, some = tokens <= 16, tokens <= 64
    many = tokens > 256
    if slices == 3:
        rows, columns = (16, 32) if some else (128, 64 if many else 32)
        warps, stages = (4, 1) if few or many else (4, 2) if some else (8, 1)
    elif slices == 2:
        rows, columns = (16, 64) if few else (32, 128) if some else (64, 64 if many else 128)
        warps, stages = (2 if many else 4), 1
    else:
        rows, columns = (16, 64) if some else (64, 128 if many else 64)
        warps, stages = 4, 2
    tiles = {"block_m": rows, "block_n": columns, "block_k": RANK}
    return {**tiles, "num_warps": warps, "num_stages": stages, **_COMMON}


_COMMON: dict[str, int | None] = {"num_ctas": 1, "max_nreg": None}
