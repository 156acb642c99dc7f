"""Linear layers that share an input, with their LoRA adapters, as two matrix products.

For x of (tokens, in) the group computes x Wᵀ + drop(x) Aᵀ Bᵀ, where W and A stack those of its
members and B is block-diagonal and holds the scaling. PEFT draws a dropout mask for each member;
here members that share an input share its mask.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Group:
    """PEFT's LoRA layers over one input; weights are read from them at every call."""

    layers: tuple[Any, ...]

    @property
    def adapters(self) -> list[nn.Parameter]:
        """All A, then all B, as autograd has to see them."""
        name = self.layers[0].active_adapters[0]
        return [x.lora_A[name].weight for x in self.layers] + [
            x.lora_B[name].weight for x in self.layers
        ]

    @property
    def scaling(self) -> float:
        """What the adapters' output is multiplied by: alpha over rank."""
        layer = self.layers[0]
        return float(layer.scaling[layer.active_adapters[0]])

    @property
    def dropout(self) -> float:
        """The share of the input that adapters do not see; none in evaluation."""
        layer = self.layers[0]
        return float(getattr(layer.lora_dropout[layer.active_adapters[0]], "p", 0.0))

    def weight(self, like: Tensor) -> Tensor:
        """Return W (out, in) of all members, out of NF4 where it is stored so."""
        weights = [layer.get_base_layer().weight for layer in self.layers]
        if not hasattr(weights[0], "quant_state"):
            return weights[0] if len(weights) == 1 else torch.cat(weights)
        from bitsandbytes.functional import dequantize_4bit

        rows = [w.quant_state.shape[0] for w in weights]
        out = like.new_empty(sum(rows), weights[0].quant_state.shape[1])
        for w, part in zip(weights, out.split(rows), strict=True):
            if like.is_cuda and w.quant_state.dtype == like.dtype:
                dequantize_4bit(w.data, w.quant_state, out=part)
            else:
                part.copy_(dequantize_4bit(w.data, w.quant_state))
        return out


@dataclass(frozen=True, slots=True)
class Adapters:
    """A (ranks, in) and B (out, ranks) of a group, in the type of the activations."""

    a: Tensor
    b: Tensor

    @classmethod
    def join(cls, parameters: Sequence[Tensor], scaling: float, like: Tensor) -> "Adapters":
        """Stack the members' A; put their B on a diagonal, scaled."""
        half = len(parameters) // 2
        a = torch.cat([p.to(like.dtype) for p in parameters[:half]])
        b = torch.block_diag(*parameters[half:])
        return cls(a, (b * scaling).to(like.dtype))

    def split_gradients(
        self, da: Tensor, db: Tensor, parameters: Sequence[Tensor], scaling: float
    ) -> list[Tensor]:
        """Give each member its part of the joint gradients."""
        half = len(parameters) // 2
        found = [
            g.to(p.dtype)
            for g, p in zip(
                da.split([p.shape[0] for p in parameters[:half]]), parameters[:half], strict=True
            )
        ]
        row = column = 0
        for p in parameters[half:]:
            rows, columns = p.shape
            found.append(db[row : row + rows, column : column + columns].to(p.dtype) * scaling)
            row, column = row + rows, column + columns
        return found


def project(
    x: Tensor, seen: Tensor, group: Group, adapters: Adapters, residual: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return the group's output and the adapters' inner activations (tokens, ranks).

    Args:
        x: The input.
        seen: The input with dropout, as the adapters see it.
        group: Whose frozen weights.
        adapters: Its adapters.
        residual: Added to the output.
    """
    inner = seen @ adapters.a.t()
    if residual is None:
        out = inner @ adapters.b.t()
    else:
        out = torch.addmm(residual, inner, adapters.b.t())
    return out.addmm_(x, group.weight(x).t()), inner


def project_backward(
    grad: Tensor, group: Group, adapters: Adapters
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the input's gradient through W and through A, and the gradient of `inner`.

    The second is before dropout: the caller adds them in the pass that it makes anyway.
    """
    d_inner = grad @ adapters.b
    return grad @ group.weight(grad), d_inner @ adapters.a, d_inner
