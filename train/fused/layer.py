"""A decoder layer in three steps, each with its own backward pass.

Each step keeps its input, and results of matrix products. It computes results of elementwise
passes again, which is cheaper than keeping them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from train.fused.attention import attend
from train.fused.elementwise import (
    add_dropped,
    dropped,
    norm,
    norm_backward,
    norm_heads,
    norm_heads_backward,
    rotate,
    rotate_backward,
    swiglu,
    swiglu_backward,
)
from train.fused.projection import ProjectionGroup


@dataclass(frozen=True, slots=True)
class PackedBatch:
    """The inputs of a batch that all layers share.

    Attributes:
        cos: Cosines of the rotary positions, (tokens, head size).
        sin: Sines of the rotary positions, (tokens, head size).
        starts: The start of each document, and the end of the last; int32.
        longest: Tokens of the longest document.
        p: Dropout of the adapters.
        seeds: Seeds of the four dropouts of each layer, (layers, 4, n).
        prefixes: As in `attend`.
    """

    cos: Tensor
    sin: Tensor
    starts: Tensor
    longest: int
    p: float
    seeds: Tensor
    prefixes: Sequence[int] = ()


@dataclass(slots=True)
class Layer:
    """The parts of one decoder layer; `keep_*` select what is kept for the backward pass.

    `head_norms` normalise each head of the queries and of the keys, as in Qwen 3.
    """

    index: int
    qkv: ProjectionGroup
    output: ProjectionGroup
    gate_up: ProjectionGroup
    down: ProjectionGroup
    first_norm: Any
    second_norm: Any
    head: int
    heads: int
    key_heads: int
    head_norms: tuple[Any, Any] | None = None
    keep_attention: bool = True
    keep_mlp: bool = True
    keep_norms: bool = True

    @property
    def widths(self) -> tuple[int, int, int]:
        """Features of queries, keys and values."""
        return self.heads * self.head, self.key_heads * self.head, self.key_heads * self.head

    @property
    def groups(self) -> tuple[ProjectionGroup, ...]:
        """All linear layers."""
        return self.qkv, self.output, self.gate_up, self.down

    def run(self, h: Tensor, batch: PackedBatch) -> Tensor:
        """Return the residual stream (tokens, hidden) after this layer."""
        if self.keep_attention or not torch.is_grad_enabled():
            h = self._attend(h, batch)
        else:
            h = checkpoint(self._attend, h, batch, use_reentrant=False, preserve_rng_state=False)
        adapters = (*self.gate_up.adapters, *self.down.adapters)
        out: Tensor = _Mlp.apply(h, self, batch, *adapters)  # type: ignore[no-untyped-call]
        return out

    def _attend(self, h: Tensor, batch: PackedBatch) -> Tensor:
        # The residual stream passes through the steps, so that norm_backward adds its gradient.
        *parts, h = _Project.apply(h, self, batch, *self.qkv.adapters)  # type: ignore[no-untyped-call]
        q, k, v = (x.view(x.shape[0], -1, self.head) for x in parts)
        out = attend(q, k, v, batch.starts, batch.longest, batch.prefixes).reshape(len(h), -1)
        result: Tensor = _Output.apply(out, h, self, batch, *self.output.adapters)  # type: ignore[no-untyped-call]
        return result

    def norm_heads(self, y: Tensor) -> Tensor:
        """Normalise the heads of queries and keys in the concatenated projections."""
        if self.head_norms is None:
            return y
        parts = zip(y.split(self.widths, dim=1), self.head_norms, strict=False)
        normed = [norm_heads(x, n.weight, n.variance_epsilon) for x, n in parts]
        return torch.cat((*normed, y[:, sum(self.widths[:2]) :]), dim=1)

    def norm_heads_backward(self, dy: Tensor, y: Tensor) -> Tensor:
        """Return the gradient of the input `y` of `norm_heads`; only queries and keys are read."""
        if self.head_norms is None:
            return dy
        parts = zip(
            dy.split(self.widths, dim=1),
            y.split(self.widths[:2], dim=1),
            self.head_norms,
            strict=False,
        )
        grads = [norm_heads_backward(g, x, n.weight, n.variance_epsilon) for g, x, n in parts]
        return torch.cat((*grads, dy[:, sum(self.widths[:2]) :]), dim=1)

    def seed(self, batch: PackedBatch, step: int) -> Tensor:
        """Return the seed of one of this layer's four dropouts."""
        return batch.seeds[self.index, step, :1]


class Norm(torch.autograd.Function):
    """The normalisation after the last layer; it keeps only its input."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, weight: Tensor, eps: float, seed: Tensor) -> Tensor:
        """Return h (tokens, hidden) divided by its root mean square, times `weight`."""
        ctx.eps = eps
        ctx.save_for_backward(h, weight, seed)
        return norm(h, seed, weight, eps, 0.0)[0]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradient of h."""
        h, weight, seed = ctx.saved_tensors
        none = torch.zeros_like(h)
        return norm_backward(grad, none, h, none, seed, weight, ctx.eps, 0.0), None, None, None


class _Project(torch.autograd.Function):
    """Normalisation, projection to queries, keys and values, rotary positions."""

    @staticmethod
    def forward(
        ctx: Any, h: Tensor, layer: Layer, batch: PackedBatch, *_: Tensor
    ) -> tuple[Tensor, ...]:
        weight, eps = layer.first_norm.weight, layer.first_norm.variance_epsilon
        n, masked = norm(h, layer.seed(batch, 0), weight, eps, batch.p)
        y, inner = layer.qkv.forward(n, masked)
        widths = layer.widths
        rotated = widths[0] + widths[1]
        plain = (y[:, :rotated],) if layer.head_norms else ()
        y = rotate(layer.norm_heads(y), batch.cos, batch.sin, rotated)
        ctx.layer, ctx.batch = layer, batch
        ctx.save_for_backward(h, inner, *plain, *((masked,) if layer.keep_norms else ()))
        return *y.split(widths, dim=1), h

    @staticmethod
    def backward(
        ctx: Any, dq: Tensor, dk: Tensor, dv: Tensor, residual: Tensor
    ) -> tuple[Tensor | None, ...]:
        h, inner, *kept = ctx.saved_tensors
        layer, batch = ctx.layer, ctx.batch
        plain = kept.pop(0) if layer.head_norms else h
        weight, eps = layer.first_norm.weight, layer.first_norm.variance_epsilon
        seed = layer.seed(batch, 0)
        dq, dk, dv = (x.reshape(x.shape[0], -1) for x in (dq, dk, dv))
        dy = rotate_backward(dq, dk, dv, batch.cos, batch.sin)
        dy = layer.norm_heads_backward(dy, plain)
        d_frozen, d_adapted, d_inner = layer.qkv.backward(dy)
        masked = kept[0] if kept else norm(h, seed, weight, eps, batch.p)[1]
        grads = layer.qkv.adapter_gradients((dy,), d_inner, masked, inner)
        dh = norm_backward(d_frozen, d_adapted, h, residual, seed, weight, eps, batch.p)
        return dh, None, None, *grads


class _Output(torch.autograd.Function):
    """Output projection of the attention, added to the residual stream."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, h: Tensor, layer: Layer, batch: PackedBatch, *_: Tensor
    ) -> Tensor:
        out, inner = layer.output.forward(x, dropped(x, layer.seed(batch, 1), batch.p), h)
        ctx.layer, ctx.batch = layer, batch
        ctx.save_for_backward(x, inner)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, inner = ctx.saved_tensors
        group, seed, p = ctx.layer.output, ctx.layer.seed(ctx.batch, 1), ctx.batch.p
        d_frozen, d_adapted, d_inner = group.backward(grad)
        grads = group.adapter_gradients((grad,), d_inner, dropped(x, seed, p), inner)
        return add_dropped(d_frozen, d_adapted, seed, p), grad, None, None, *grads


class _Mlp(torch.autograd.Function):
    """Normalisation, up projections, SwiGLU, down projection, added to the residual stream."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, layer: Layer, batch: PackedBatch, *_: Tensor) -> Tensor:
        gate_up, inner, normed = _project_up(h, layer, batch)
        product, masked = swiglu(gate_up, layer.seed(batch, 3), batch.p)
        out, down_inner = layer.down.forward(product, masked, h)
        ctx.layer, ctx.batch = layer, batch
        kept = (gate_up, inner) if layer.keep_mlp else ()
        last = (normed,) if layer.keep_mlp and layer.keep_norms else ()
        ctx.save_for_backward(h, down_inner, *kept, *last)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        layer, batch = ctx.layer, ctx.batch
        h, down_inner, *kept = ctx.saved_tensors
        weight, eps = layer.second_norm.weight, layer.second_norm.variance_epsilon
        seed, inner_seed, p = layer.seed(batch, 2), layer.seed(batch, 3), batch.p
        if kept:
            gate_up, inner, *last = kept
            masked = last[0] if last else norm(h, seed, weight, eps, p)[1]
        else:
            gate_up, inner, masked = _project_up(h, layer, batch)

        d_frozen, d_adapted, d_inner = layer.down.backward(grad)
        d_gate, d_up, product = swiglu_backward(d_frozen, d_adapted, gate_up, inner_seed, p)
        lower = layer.down.adapter_gradients((grad,), d_inner, product, down_inner)
        del d_frozen, d_adapted, product, gate_up, kept

        d_frozen, d_adapted, d_inner = layer.gate_up.backward(d_gate, d_up)
        upper = layer.gate_up.adapter_gradients((d_gate, d_up), d_inner, masked, inner)
        dh = norm_backward(d_frozen, d_adapted, h, grad, seed, weight, eps, p)
        return dh, None, None, *upper, *lower


def _project_up(h: Tensor, layer: Layer, batch: PackedBatch) -> tuple[Tensor, Tensor, Tensor]:
    weight, eps = layer.second_norm.weight, layer.second_norm.variance_epsilon
    n, masked = norm(h, layer.seed(batch, 2), weight, eps, batch.p)
    gate_up, inner = layer.gate_up.forward(n, masked)
    return gate_up, inner, masked
