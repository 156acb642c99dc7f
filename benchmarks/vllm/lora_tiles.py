"""Random tile sizes for vLLM's LoRA kernels, timed against vLLM's own and those of `serve`.

    python -m benchmarks.vllm.lora_tiles --tries 26

This needs a GPU and vLLM. It prints microseconds per layer for each matrix product of Llama 3.2 3B
at rank 32, for several numbers of tokens. One CUDA graph runs 28 layers, each with its own
weights.
"""

import itertools
import os
import random
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Annotated, Any

import typer

from nothing_gpt.errors import UserError, reported_errors
from serve.vllm.lora_kernels import COMMON, RANK, Tiles, expand_tiles, name_gpu, shrink_tiles

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_LAYERS = 28
_TOKENS = (1, 32, 128, 2048)
_ELEMENTS = 128 * 64 * 3 * 2  # most input elements of a shrink block that fit shared memory


@dataclass(frozen=True, slots=True)
class Product:
    """A product with LoRA's A (`shrink`) or B; `sizes` has the long side of each slice."""

    shrink: bool
    tokens: int
    sizes: tuple[int, ...]


PRODUCTS = [
    *(Product(True, m, s) for m in _TOKENS for s in [(3072,) * 3, (3072,) * 2, (3072,), (8192,)]),
    *(Product(False, m, s) for m in _TOKENS for s in [(3072, 1024, 1024), (8192,) * 2, (3072,)]),
]


@app.command()
def main(
    tries: Annotated[int, typer.Option(help="Tile sizes drawn for each product.")] = 26,
) -> None:
    """Time the drawn sizes and print the best for each product."""
    if name_gpu() is None:
        raise UserError("no NVIDIA GPU answers here; the kernels run on nothing else")
    jobs = [(product, tiles) for product in PRODUCTS for tiles in draw(product, tries)]
    processes = min(14, os.cpu_count() or 1)
    started = time.monotonic()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        size = -(-len(jobs) // processes)
        list(pool.map(_compile, [jobs[i : i + size] for i in range(0, len(jobs), size)]))
    print(f"{len(jobs)} compiled after {time.monotonic() - started:.0f} s", flush=True)
    for product in PRODUCTS:
        case = _Case(product)
        own, ours = case.time(None), case.time(_ours(product))
        took, tiles = min(
            ((case.time(tiles), tiles) for tiles in draw(product, tries)), key=lambda row: row[0]
        )
        print(f"{product}: vLLM's {own:.2f}, serve's {ours:.2f}, best {took:.2f} us: {tiles}")


def draw(product: Product, tries: int) -> list[Tiles]:
    """Draw tile sizes for a product; the result is the same each time."""
    found = list(_shrinking(product) if product.shrink else _expanding(product))
    random.Random(str(product)).shuffle(found)  # noqa: S311
    return found[:tries]


def _ours(product: Product) -> Tiles:
    slices, longest = len(product.sizes), max(product.sizes)
    if product.shrink:
        return shrink_tiles(product.tokens, longest, slices)
    return expand_tiles(product.tokens, slices)


def _shrinking(product: Product) -> Any:
    m, k = product.tokens, product.sizes[0]
    parts = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
    choices = ((16, 32, 64, 128), (16, 32), (32, 64, 128, 256), parts, (2, 4, 8), (2, 3, 4))
    for rows, columns, step, split, warps, stages in itertools.product(*choices):
        whole = k % (step * split) == 0 and rows * step * stages <= _ELEMENTS
        fits = rows <= max(16, m) and (split <= 8 if m >= 2048 else split >= 4)
        if whole and fits:
            tiles = {"block_m": rows, "block_n": columns, "block_k": step, "split_k": split}
            yield {**tiles, "num_warps": warps, "num_stages": stages, **COMMON, "group_size_m": 8}


def _expanding(product: Product) -> Any:
    choices = ((16, 32, 64, 128), (32, 64, 128, 256), (2, 4, 8), (1, 2))
    for rows, columns, warps, stages in itertools.product(*choices):
        if rows <= max(16, product.tokens) and (rows > 16 or product.tokens < 2048):
            tiles = {"block_m": rows, "block_n": columns, "block_k": RANK}
            yield {**tiles, "num_warps": warps, "num_stages": stages, **COMMON}


class _Case:
    """A product's tensors on the GPU, and vLLM's kernel for it."""

    def __init__(self, product: Product) -> None:
        import torch
        from vllm.lora.ops.triton_ops import (  # type: ignore[import-not-found]
            lora_expand_op,
            lora_shrink_op,
            utils,
        )

        # vLLM caches pointers by the weights' addresses, which a freed case's tensors also had.
        utils._LORA_A_PTR_DICT.clear()
        utils._LORA_B_PTR_DICT.clear()
        m, sizes, bf16 = product.tokens, product.sizes, torch.bfloat16
        self._module: Any = lora_shrink_op if product.shrink else lora_expand_op
        self._vllms: Callable[..., Tiles] = utils.get_lora_op_configs
        # All tokens belong to the first adapter; the last entry is for tokens without one.
        starts = [[m, 0], [0, m, m], [0, -1]]
        self._meta = [
            torch.zeros(m, dtype=torch.int32, device="cuda"),
            torch.arange(m, dtype=torch.int32, device="cuda"),
            *(torch.tensor(each, dtype=torch.int32, device="cuda") for each in starts),
            *(torch.tensor([False]), torch.tensor([2], dtype=torch.int32)),
        ]

        def make(*shape: int, dtype: torch.dtype = bf16) -> torch.Tensor:
            return torch.randn(*shape, device="cuda", dtype=dtype)

        if product.shrink:
            self._inputs = make(m, sizes[0])
            self._outputs = make(len(sizes), m, RANK, dtype=torch.float32)
            self._more: list[Any] = [1.0]
            shapes = [(1, 1, RANK, size) for size in sizes]
        else:
            self._inputs = make(len(sizes), m, RANK, dtype=torch.float32)
            self._outputs = make(m, sum(sizes))
            self._more = [0, True]
            shapes = [(1, 1, size, RANK) for size in sizes]
        self._layers = [[make(*shape) for shape in shapes] for _ in range(_LAYERS)]
        self._call = self._module._lora_shrink if product.shrink else self._module._lora_expand

    def run(self, tiles: Tiles | None, layers: int = _LAYERS) -> None:
        """Run some layers; `tiles` None means vLLM's own sizes."""
        found = self._vllms if tiles is None else (lambda *_args, **_named: tiles)
        self._module.get_lora_op_configs = found
        for weights in self._layers[:layers]:
            self._call(self._inputs, weights, self._outputs, *self._meta, *self._more)

    def time(self, tiles: Tiles | None) -> float:
        """Return microseconds per layer, the median of 12 replays."""
        import torch

        self.run(tiles)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.run(tiles)
        times: list[float] = []
        for _ in range(12):
            before, after = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            before.record()
            graph.replay()
            after.record()
            torch.cuda.synchronize()
            times.append(before.elapsed_time(after))
        return sorted(times)[6] * 1000 / _LAYERS


def _compile(jobs: list[tuple[Product, Tiles]]) -> None:
    """Compile the kernels into Triton's cache, which all processes share."""
    last, case = None, None
    for product, tiles in jobs:
        if case is None or product != last:
            case, last = _Case(product), product
        case.run(tiles, layers=1)


if __name__ == "__main__":
    with reported_errors():
        app()
