"""The weights of one decoder layer, for the base and for each adapter merged into it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from serve.local_engine.cpu.linear import Linear, Precision, make_linear

Groups = Sequence[tuple[str | None, Tensor | None]]
"""Adapters' names, None for the base, each with the rows that it is for; None for all rows."""


@dataclass(frozen=True, slots=True)
class MergedLinear:
    """Linear layers of one input, joined, in a version for the base and one for each adapter.

    An adapter beside the base took 2 to 6 ms of a token's 19, for hundreds of small products. As
    a version of its own it takes no time, and as much memory as the base's linear layers.
    """

    versions: Mapping[str | None, Linear]

    def __call__(self, x: Tensor, groups: Groups) -> Tensor:
        """Return the product, each row's by its adapter."""
        if len(groups) == 1:
            return self.versions[groups[0][0]](x)
        parts = [self.versions[name](x[rows]) for name, rows in groups]
        order = torch.cat([rows for _, rows in groups if rows is not None])
        return torch.cat(parts)[order.argsort()]


@dataclass(frozen=True, slots=True)
class DecoderLayer:
    """The norms' weights in float32, and the linear layers."""

    first_norm: Tensor
    second_norm: Tensor
    qkv: MergedLinear
    output: MergedLinear
    gate_up: MergedLinear
    down: MergedLinear


def read_layer(layer: Any, adapters: Sequence[str], precision: Precision) -> DecoderLayer:
    """Read transformers' decoder layer, whose linear layers may be PEFT's."""
    attention, mlp = layer.self_attn, layer.mlp
    size = attention.head_dim

    def merge(
        *members: tuple[Any, Callable[[Tensor], Tensor]], fine: bool = False
    ) -> MergedLinear:
        def version(name: str | None) -> Linear:
            weights = [change(_merge(member, name)) for member, change in members]
            return make_linear(torch.cat(weights), precision, fine=fine)

        return MergedLinear({name: version(name) for name in (None, *adapters)})

    def keep(weight: Tensor) -> Tensor:
        return weight

    return DecoderLayer(
        layer.input_layernorm.weight.detach().float(),
        layer.post_attention_layernorm.weight.detach().float(),
        merge(
            (attention.q_proj, lambda weight: _pair(weight, size) * size**-0.5),
            (attention.k_proj, lambda weight: _pair(weight, size)),
            (attention.v_proj, keep),
        ),
        merge((attention.o_proj, keep)),
        merge((mlp.gate_proj, keep), (mlp.up_proj, keep)),
        merge((mlp.down_proj, keep), fine=True),
    )


def _merge(member: Any, name: str | None) -> Tensor:
    """Return a linear layer's weight with an adapter in it, in float32."""
    adapted = hasattr(member, "get_base_layer")
    base = member.get_base_layer() if adapted else member
    weight: Tensor = base.weight.detach().float()
    return weight + member.get_delta_weight(name) if adapted and name in member.lora_A else weight


def _pair(weight: Tensor, size: int) -> Tensor:
    """Put the two features that rotate together side by side, as complex numbers need them.

    Queries and keys change alike, so that their products stay as they were.
    """
    halves = weight.view(-1, 2, size // 2, weight.shape[1])
    return halves.transpose(1, 2).reshape(weight.shape)
