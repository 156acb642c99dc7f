"""Linear layers over one input, with their LoRA adapters, as a few matrix products.

For x of (tokens, in) a group computes x Wᵀ + c + s dropout(x) Aᵀ Bᵀ, where c are the biases, W and
A stack the matrices of its layers and B is block-diagonal. PEFT draws a dropout mask for each
layer; here the layers of a group share one.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor


class ProjectionGroup:
    """PEFT's LoRA layers over one input.

    Their frozen weights are concatenated, so that one pass unpacks them all.

    Attributes:
        adapters: The A matrices of all layers, then the B matrices.
        scaling: LoRA's alpha / r.
        dropout: Dropout on the input of the adapters.
        a: A copy of all A matrices in the type of the activations, (ranks, in).
        b: A copy of all B matrices, block-diagonal, (out, ranks).
    """

    def __init__(self, *layers: Any) -> None:
        name = layers[0].active_adapters[0]
        down = [layer.lora_A[name].weight for layer in layers]
        up = [layer.lora_B[name].weight for layer in layers]
        self.adapters: list[Tensor] = down + up
        self.scaling = float(layers[0].scaling[name])
        self.dropout = float(getattr(layers[0].lora_dropout[name], "p", 0.0))
        self._ranks = [p.shape[0] for p in down]
        self._rows = [p.shape[0] for p in up]
        self._unpack = _concatenate([layer.get_base_layer().weight for layer in layers])
        self._unpacked: Tensor | None = None
        self._bias = _join_biases([layer.get_base_layer() for layer in layers])
        self.a = torch.empty(0)
        self.b = torch.empty(0)

    def weight(self) -> Tensor:
        """Return W (out, in)."""
        return self._unpack() if self._unpacked is None else self._unpacked

    def keep_unpacked(self) -> None:
        """Keep W unpacked from now on."""
        self._unpacked = self.weight()

    def adapter_views(self, like: Tensor) -> list[Tensor]:
        """Return the view into `a` or `b` of each adapter, in the order of `adapters`.

        Args:
            like: A tensor with the type and device of the copies.
        """
        if self.a.dtype != like.dtype or self.a.device != like.device or not self.a.numel():
            self.a = like.new_zeros(sum(self._ranks), self.adapters[0].shape[1])
            self.b = like.new_zeros(sum(self._rows), sum(self._ranks))
        return [*self.a.split(self._ranks), *self._blocks(self.b)]

    def _blocks(self, b: Tensor) -> list[Tensor]:
        corners = zip(
            accumulate(self._rows, initial=0), accumulate(self._ranks, initial=0), strict=True
        )
        sizes = zip(self._rows, self._ranks, strict=True)
        return [b[i : i + m, j : j + n] for (i, j), (m, n) in zip(corners, sizes, strict=False)]

    def forward(
        self, x: Tensor, masked: Tensor, residual: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the output (tokens, out), and the vectors between A and B (tokens, ranks).

        Args:
            x: The input.
            masked: The input with dropout, which the adapters read.
            residual: Added to the output.
        """
        inner = self._scaled(masked @ self.a.t())
        b, start = self.b.t(), residual
        if self._bias is not None:
            start = self._bias if residual is None else residual + self._bias
        out = inner @ b if start is None else torch.addmm(start, inner, b)
        return out.addmm_(x, self.weight().t()), inner

    def backward(self, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the input's gradient through W and through A, and the gradient of A's output.

        The gradient through A is before dropout. The caller adds it in its next elementwise pass.

        Args:
            grads: The gradient of the output, split by features into one part or more.
        """
        sizes = [grad.shape[1] for grad in grads]
        w, b = self.weight().split(sizes), self.b.split(sizes)
        d_frozen, d_inner = grads[0] @ w[0], grads[0] @ b[0]
        for grad, rows, columns in zip(grads[1:], w[1:], b[1:], strict=True):
            d_frozen.addmm_(grad, rows)
            d_inner.addmm_(grad, columns)
        d_inner = self._scaled(d_inner)
        return d_frozen, d_inner @ self.a, d_inner

    def adapter_gradients(
        self, grads: Sequence[Tensor], d_inner: Tensor, masked: Tensor, inner: Tensor
    ) -> list[Tensor]:
        """Return the gradients of `adapters`."""
        da, db = d_inner.t() @ masked, torch.cat([grad.t() @ inner for grad in grads])
        parts = [*da.split(self._ranks), *self._blocks(db)]
        return [g.to(p.dtype) for g, p in zip(parts, self.adapters, strict=True)]

    def _scaled(self, x: Tensor) -> Tensor:
        return x if self.scaling == 1 else x * self.scaling


def copy_adapters(groups: Sequence[ProjectionGroup], like: Tensor) -> None:
    """Copy all adapters to `a` and `b` of their groups, with type and device of `like`."""
    views = [view for group in groups for view in group.adapter_views(like)]
    sources = [p.detach() for group in groups for p in group.adapters]
    # One kernel for all copies; torch has no public function for this.
    torch._foreach_copy_(views, sources)


def _join_biases(layers: list[Any]) -> Tensor | None:
    """Return the frozen biases of layers as one, with zeros for a layer without; or None."""
    if all(layer.bias is None for layer in layers):
        return None
    like = next(layer.bias for layer in layers if layer.bias is not None)
    parts = [
        like.new_zeros(layer.out_features) if layer.bias is None else layer.bias.detach()
        for layer in layers
    ]
    return torch.cat(parts)


def _concatenate(weights: list[Any]) -> Callable[[], Tensor]:
    """Concatenate frozen weights in place, and return a function that unpacks them as one."""
    states = [getattr(w, "quant_state", None) for w in weights]
    if any(state is None for state in states):
        plain = torch.cat([w.data for w in weights])
        for w, rows in zip(weights, plain.split([len(w) for w in weights]), strict=True):
            w.data = rows
        return lambda: plain
    from bitsandbytes.functional import QuantState, dequantize_4bit

    first: Any = states[0]
    joint = torch.cat([w.data.reshape(-1, 1) for w in weights])
    for w, part in zip(weights, joint.split([w.numel() for w in weights]), strict=True):
        w.data = part
    state = QuantState(  # type: ignore[no-untyped-call]
        absmax=torch.cat([_scales(s) for s in states]),
        shape=torch.Size((sum(s.shape[0] for s in states if s), first.shape[1])),
        code=first.code,
        blocksize=first.blocksize,
        quant_type=first.quant_type,
        dtype=first.dtype,
    )
    return lambda: dequantize_4bit(joint, state)


def _scales(state: Any) -> Tensor:
    """Return the scale of each block in float32."""
    from bitsandbytes.functional import dequantize_blockwise

    scales: Tensor = state.absmax
    if state.nested:
        scales = dequantize_blockwise(scales, state.state2) + state.offset
    return scales.float()
