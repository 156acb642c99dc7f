"""Losses and gradients of padding-free batches as CUDA graphs.

A small base's kernels take less time than Python and the driver need to launch them. A graph
launches all kernels of a batch at once. Its shapes are fixed, so each batch is padded to one of a
few sizes, by a document of its own that nothing is learned from.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from train.fused.head import IGNORED

Batch = dict[str, Any]

_MOST = 32
"""Graphs of one run at most. The driver needs some megabytes for each, and rarer sizes of batches
cost little."""


@dataclass(frozen=True, slots=True)
class BatchSize:
    """The shapes of a padded batch; `longest` bounds the tokens of each document."""

    tokens: int
    targets: int
    longest: int
    documents: int


def round_size(batch: Batch) -> BatchSize:
    """Return the size to pad a batch to; at least one token is padding.

    Tokens grow by at most an eighth and targets by at most a quarter, so that the batches of a run
    have few different sizes.
    """
    tokens, targets = batch["input_ids"].shape[1], len(batch["targets"])
    return BatchSize(
        tokens=_round_up(tokens + 1, steps=8),
        targets=_round_up(targets, steps=4),
        longest=_round_up(max(batch["max_length_q"], tokens // 8), steps=1),
        documents=len(batch["cu_seq_lens_q"]),
    )


def _round_up(n: int, steps: int) -> int:
    """Round up to one of `steps` multiples between two powers of two."""
    unit = max(1, (1 << max(n - 1, 1).bit_length() - 1) // steps)
    return -(-n // unit) * unit


def pad_batch(batch: Batch, size: BatchSize) -> Batch:
    """Add a document of padding tokens, and targets that the loss ignores."""
    spare = size.tokens - batch["input_ids"].shape[1]
    missing = size.targets - len(batch["targets"])
    return {
        "input_ids": pad(batch["input_ids"], (0, spare)),
        "position_ids": pad(batch["position_ids"], (0, spare)),
        "cu_seq_lens_q": pad(batch["cu_seq_lens_q"], (0, 1), value=size.tokens),
        "places": pad(batch["places"], (0, missing), value=size.tokens - 1),
        "targets": pad(batch["targets"], (0, missing), value=IGNORED),
        "max_length_q": size.longest,
    }


class StepGraphs:
    """The graphs of a run, one for each size of batches.

    The first batch of a size runs without a graph, which also compiles its kernels. All graphs
    share one pool of memory, because only one runs at a time.

    Args:
        compute: Computes the summed loss of a batch.
        adapters: The parameters to train.
        draw_seeds: Draws the seeds of a batch's dropout.
        fixed: Makes `compute` use a tensor of seeds, and the same memory as before; gives the
            tensors to differentiate by.
    """

    def __init__(
        self,
        compute: Callable[[Batch], Tensor],
        adapters: Sequence[nn.Parameter],
        draw_seeds: Callable[[], Tensor],
        fixed: Callable[[Tensor], AbstractContextManager[list[Tensor]]],
    ) -> None:
        self._compute = compute
        self._adapters = list(adapters)
        self._draw_seeds = draw_seeds
        self._fixed = fixed
        self._graphs: dict[BatchSize, _StepGraph] = {}
        self._seen: set[BatchSize] = set()
        self._pool: Any = None
        self._gradients = torch.empty(0)

    def compute_loss(self, batch: Batch, *, has_room: Callable[[int], bool]) -> Tensor:
        """Return the summed loss of a batch; its backward pass gives the adapters' gradients.

        Args:
            batch: The batch.
            has_room: Whether the memory takes the activations of so many tokens once more.
        """
        size = round_size(batch)
        padded = pad_batch(batch, size)
        graph = self._graphs.get(size)
        if graph is None:
            again = size in self._seen
            self._seen.add(size)
            if not again or len(self._graphs) == _MOST or not has_room(size.tokens):
                return self._compute(padded)
            graph = self._graphs[size] = self._capture(padded, self._draw_seeds())
            seeds = graph.seeds
        else:
            seeds = self._draw_seeds()
        loss: Tensor = _Replay.apply(graph, padded, seeds, *self._adapters)  # type: ignore[no-untyped-call]
        return loss

    def _capture(self, padded: Batch, seeds: Tensor) -> "_StepGraph":
        if self._pool is None:
            self._pool = torch.cuda.graph_pool_handle()
            total = sum(p.numel() for p in self._adapters)
            self._gradients = self._adapters[0].new_zeros(total)
        inputs = {k: v.clone() if isinstance(v, Tensor) else v for k, v in padded.items()}
        graph = torch.cuda.CUDAGraph()
        with self._fixed(seeds) as adapters:
            # Compiles and loads whatever the capture will run, because it cannot.
            self._differentiate(inputs, adapters)
            # Other threads, such as the one that pins batches, may use CUDA meanwhile.
            with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
                loss = self._differentiate(inputs, adapters)
        return _StepGraph(graph, inputs, seeds, loss, self._gradients, self._split)

    def _differentiate(self, inputs: Batch, adapters: list[Tensor]) -> Tensor:
        """Compute the loss, and write the gradients into `_gradients`."""
        loss = self._compute(inputs)
        # A trainer's own backward pass is outside autocast, too.
        with torch.autocast("cuda", enabled=False):
            found = torch.autograd.grad(loss, adapters)
        # One kernel for all; torch has no public function for this.
        torch._foreach_copy_(self._split(self._gradients), found)
        return loss.detach()

    def _split(self, flat: Tensor) -> list[Tensor]:
        """Return a view of each adapter's part."""
        parts = flat.split([p.numel() for p in self._adapters])
        return [part.view_as(p) for part, p in zip(parts, self._adapters, strict=True)]


@dataclass(frozen=True, slots=True)
class _StepGraph:
    """A graph, the tensors that it reads, and those that it writes."""

    graph: Any
    inputs: Batch
    seeds: Tensor
    loss: Tensor
    gradients: Tensor
    split: Callable[[Tensor], list[Tensor]]

    def replay(self, batch: Batch, seeds: Tensor) -> None:
        self.seeds.copy_(seeds)
        for key, value in self.inputs.items():
            if isinstance(value, Tensor):
                value.copy_(batch[key])
        self.graph.replay()


class _Replay(torch.autograd.Function):
    """Computes the loss and the gradients at once; the backward pass only scales the latter.

    It must run before the next forward pass, as it does in a training step.
    """

    @staticmethod
    def forward(ctx: Any, graph: _StepGraph, batch: Batch, seeds: Tensor, *_: Tensor) -> Tensor:
        graph.replay(batch, seeds)
        ctx.graph = graph
        return graph.loss.clone()

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor | None, ...]:
        return None, None, None, *ctx.graph.split(ctx.graph.gradients * outer)
