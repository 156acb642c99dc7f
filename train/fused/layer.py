"""A decoder layer in three steps, each with a backward pass of its own.

Of each step only its input is kept, and what a matrix product would have to make again; what one
pass over memory makes again is not kept.
"""

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
    rotate,
    rotate_backward,
    swiglu,
    swiglu_backward,
)
from train.fused.projection import Adapters, Group, project, project_backward


@dataclass(slots=True)
class Layer:
    """One decoder layer's parts; `keep_*` say what its backward pass need not compute again."""

    qkv: Group
    output: Group
    gate_up: Group
    down: Group
    first_norm: Any
    second_norm: Any
    head: int
    heads: int
    key_heads: int
    keep_attention: bool = True
    keep_mlp: bool = True

    @property
    def widths(self) -> tuple[int, int, int]:
        """Features of queries, keys and values."""
        return self.heads * self.head, self.key_heads * self.head, self.key_heads * self.head

    def run(
        self, h: Tensor, cos: Tensor, sin: Tensor, starts: Tensor, longest: int, p: float
    ) -> Tensor:
        """Return the residual stream (tokens, hidden) after this layer."""
        arguments = (h, cos, sin, starts, longest, p)
        if self.keep_attention or not torch.is_grad_enabled():
            h = self._attend(*arguments)
        else:
            h = checkpoint(self._attend, *arguments, use_reentrant=False)
        parameters = (*self.gate_up.adapters, *self.down.adapters)
        out: Tensor = _Mlp.apply(h, self, _seed(h), _seed(h), p, *parameters)  # type: ignore[no-untyped-call]
        return out

    def _attend(
        self, h: Tensor, cos: Tensor, sin: Tensor, starts: Tensor, longest: int, p: float
    ) -> Tensor:
        # The residual stream passes through, so that its gradients are added where they are read.
        *parts, h = _Project.apply(h, self, cos, sin, _seed(h), p, *self.qkv.adapters)  # type: ignore[no-untyped-call]
        q, k, v = (x.view(x.shape[0], -1, self.head) for x in parts)
        out = attend(q, k, v, starts, longest).reshape(h.shape[0], -1)
        found: Tensor = _Output.apply(out, h, self, _seed(h), p, *self.output.adapters)  # type: ignore[no-untyped-call]
        return found


def _seed(h: Tensor) -> Tensor:
    return torch.randint(2**31 - 1, (1,), dtype=torch.int32, device=h.device)


class Norm(torch.autograd.Function):
    """The normalisation after the last layer, of which only the input is kept."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, weight: Tensor, eps: float) -> Tensor:
        """Return h (tokens, hidden) divided by its root mean square, times `weight`."""
        ctx.eps = eps
        ctx.save_for_backward(h, weight)
        return norm(h, _seed(h), weight, eps, 0.0)[0]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradient of h."""
        h, weight = ctx.saved_tensors
        none = torch.zeros_like(h)
        return norm_backward(grad, none, h, none, _seed(h), weight, ctx.eps, 0.0), None, None


class _Project(torch.autograd.Function):
    """Normalise, project to queries, keys and values, rotate."""

    @staticmethod
    def forward(
        ctx: Any,
        h: Tensor,
        layer: Layer,
        cos: Tensor,
        sin: Tensor,
        seed: Tensor,
        p: float,
        *parameters: Tensor,
    ) -> tuple[Tensor, ...]:
        weight, eps = layer.first_norm.weight, layer.first_norm.variance_epsilon
        n, seen = norm(h, seed, weight, eps, p)
        adapters = Adapters.join(parameters, layer.qkv.scaling, h)
        y, inner = project(n, seen, layer.qkv, adapters)
        widths = layer.widths
        y = rotate(y, cos, sin, widths[0] + widths[1])
        ctx.layer, ctx.p = layer, p
        ctx.save_for_backward(h, cos, sin, seed, inner, *parameters)
        return *y.split(widths, dim=1), h

    @staticmethod
    def backward(
        ctx: Any, dq: Tensor, dk: Tensor, dv: Tensor, past: Tensor
    ) -> tuple[Tensor | None, ...]:
        h, cos, sin, seed, inner, *parameters = ctx.saved_tensors
        layer, p = ctx.layer, ctx.p
        weight, eps = layer.first_norm.weight, layer.first_norm.variance_epsilon
        dy = rotate_backward(dq, dk, dv, cos, sin)
        adapters = Adapters.join(parameters, layer.qkv.scaling, h)
        through, adapted, d_inner = project_backward(dy, layer.qkv, adapters)
        seen = norm(h, seed, weight, eps, p)[1]
        da, db = d_inner.t() @ seen, dy.t() @ inner
        dh = norm_backward(through, adapted, h, past, seed, weight, eps, p)
        grads = adapters.split_gradients(da, db, parameters, layer.qkv.scaling)
        return dh, None, None, None, None, None, *grads


class _Output(torch.autograd.Function):
    """Project the attention's output and add it to the residual stream."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, h: Tensor, layer: Layer, seed: Tensor, p: float, *parameters: Tensor
    ) -> Tensor:
        adapters = Adapters.join(parameters, layer.output.scaling, h)
        out, inner = project(x, dropped(x, seed, p), layer.output, adapters, h)
        ctx.layer, ctx.p = layer, p
        ctx.save_for_backward(x, seed, inner, *parameters)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, seed, inner, *parameters = ctx.saved_tensors
        group, p = ctx.layer.output, ctx.p
        adapters = Adapters.join(parameters, group.scaling, x)
        through, adapted, d_inner = project_backward(grad, group, adapters)
        da, db = d_inner.t() @ dropped(x, seed, p), grad.t() @ inner
        dx = add_dropped(through, adapted, seed, p)
        grads = adapters.split_gradients(da, db, parameters, group.scaling)
        return dx, grad, None, None, None, *grads


class _Mlp(torch.autograd.Function):
    """Normalise, project up, SwiGLU, project down and add to the residual stream."""

    @staticmethod
    def forward(
        ctx: Any,
        h: Tensor,
        layer: Layer,
        seed: Tensor,
        inner_seed: Tensor,
        p: float,
        *parameters: Tensor,
    ) -> Tensor:
        split = len(parameters) // 3 * 2
        gate_up, inner, _ = _up(h, layer, seed, p, parameters[:split])
        product, seen = swiglu(gate_up, inner_seed, p)
        adapters = Adapters.join(parameters[split:], layer.down.scaling, h)
        out, narrow = project(product, seen, layer.down, adapters, h)
        ctx.layer, ctx.p, ctx.kept = layer, p, layer.keep_mlp
        kept = (gate_up, inner) if layer.keep_mlp else ()
        ctx.save_for_backward(h, seed, inner_seed, narrow, *parameters, *kept)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        layer, p = ctx.layer, ctx.p
        h, seed, inner_seed, narrow, *rest = ctx.saved_tensors
        parameters = rest[: -2 if ctx.kept else None]
        split = len(parameters) // 3 * 2
        weight, eps = layer.second_norm.weight, layer.second_norm.variance_epsilon
        if ctx.kept:
            gate_up, inner = rest[-2:]
            seen = norm(h, seed, weight, eps, p)[1]
        else:
            gate_up, inner, seen = _up(h, layer, seed, p, parameters[:split])

        down = Adapters.join(parameters[split:], layer.down.scaling, h)
        through, adapted, d_inner = project_backward(grad, layer.down, down)
        d_gate_up, product = swiglu_backward(through, adapted, gate_up, inner_seed, p)
        da, db = d_inner.t() @ product, grad.t() @ narrow
        lower = down.split_gradients(da, db, parameters[split:], layer.down.scaling)
        del through, adapted, product, gate_up

        up = Adapters.join(parameters[:split], layer.gate_up.scaling, h)
        through, adapted, d_inner = project_backward(d_gate_up, layer.gate_up, up)
        da, db = d_inner.t() @ seen, d_gate_up.t() @ inner
        upper = up.split_gradients(da, db, parameters[:split], layer.gate_up.scaling)
        dh = norm_backward(through, adapted, h, grad, seed, weight, eps, p)
        return dh, None, None, None, None, *upper, *lower


def _up(
    h: Tensor, layer: Layer, seed: Tensor, p: float, parameters: tuple[Tensor, ...]
) -> tuple[Tensor, Tensor, Tensor]:
    weight, eps = layer.second_norm.weight, layer.second_norm.variance_epsilon
    n, seen = norm(h, seed, weight, eps, p)
    adapters = Adapters.join(parameters, layer.gate_up.scaling, h)
    gate_up, inner = project(n, seen, layer.gate_up, adapters)
    return gate_up, inner, seen
