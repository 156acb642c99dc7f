"""Tile sizes of vLLM's LoRA kernels, in the files in which vLLM looks them up.

vLLM's own sizes split a sum of 3,072 into 64 parts of 256, of which 52 are empty and are added
all the same, and compute 64 rows where there is one. These sizes are close to the best of those
that `benchmarks/vllm/lora_tiles.py` sampled on an H100, for Llama 3.2 3B and rank 32
(RESULTS.md).
"""

import subprocess
from pathlib import Path

from nothing_gpt.files import write_json

Tiles = dict[str, int | None]
"""Tile sizes, by vLLM's names."""

RANK = 32
COMMON: Tiles = {"num_ctas": 1, "max_nreg": None}

_TOKENS = (1, 16, 32, 64, 128, 256, 512, 1024, 2048)
_WIDTHS = (3072, 8192)
_SLICES = (1, 2, 3)  # matrices with the same input: 3 for q, k and v; 2 for gate and up


def tile_folder(cache: Path) -> Path:
    """Return where the tables of tile sizes are, in the folder of vLLM's caches."""
    return cache / "lora-kernels"


def name_gpu() -> str | None:
    """Return the name of this machine's first NVIDIA GPU; None if there is none."""
    query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        found = subprocess.run(query, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.partition("\n")[0].strip() or None


def write_tables(cache: Path) -> None:
    """Write the tables for this machine's GPU, if it has one."""
    if gpu := name_gpu():
        write_tiles(tile_folder(cache), gpu)


def write_tiles(folder: Path, gpu: str) -> None:
    """Write the tables for a GPU.

    The keys are: number of adapters + 1, slices, tokens, and the two sides of the matrix. vLLM
    takes the nearest key if a number is missing.
    """
    shrink = {
        slices: {m: {k: {RANK: shrink_tiles(m, k, slices)} for k in _WIDTHS} for m in _TOKENS}
        for slices in _SLICES
    }
    expand = {
        slices: {m: {RANK: {n: expand_tiles(m, slices) for n in _WIDTHS}} for m in _TOKENS}
        for slices in _SLICES
    }
    stem = gpu.replace(" ", "_").replace("-", "_")
    for kind, table in {"SHRINK": shrink, "EXPAND_TRUE": expand, "EXPAND_FALSE": expand}.items():
        write_json(folder / f"{stem}_{kind}.json", {2: table})


def shrink_tiles(tokens: int, inner: int, slices: int) -> Tiles:
    """Return the tiles of a product with A; `inner` is the length of the sum."""
    short = inner <= _WIDTHS[0]
    if tokens <= 64:
        rows, step, parts, stages = (16 if tokens <= 16 else 32), 128, (24 if short else 32), 2
    elif tokens <= 256:
        rows, step, parts, stages = 32, 64, (24 if short else 64), 3
    elif short:
        rows, step, parts, stages = 128, 64, (8 if slices == 1 else 4), 3
    else:
        rows, step, parts, stages = 64, 64, 8, 2
    tiles = {"block_m": rows, "block_n": RANK, "block_k": step, "split_k": parts}
    return {**tiles, "num_warps": 4, "num_stages": stages, "group_size_m": 8, **COMMON}


def expand_tiles(tokens: int, slices: int) -> Tiles:
    """Return the tiles of a product with B."""
    few, some, many = tokens <= 16, tokens <= 64, tokens > 256
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
    return {**tiles, "num_warps": warps, "num_stages": stages, **COMMON}
