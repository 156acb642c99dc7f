"""The weights of a Llama's decoder layer, read from transformers and PEFT and packed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from serve.local_engine.cpu.packed_weights import PackedLinear

_MEMBERS = (
    ("self_attn", ("q_proj", "k_proj", "v_proj")),
    ("self_attn", ("o_proj",)),
    ("mlp", ("gate_proj", "up_proj")),
    ("mlp", ("down_proj",)),
)
"""Linear layers of a decoder layer that share an input, in the order in which they run."""

Spans = Sequence[tuple[str, Tensor | None]]
"""Adapters' names, each with the rows that it is for; None for all rows."""


@dataclass(frozen=True, slots=True)
class DecoderLayer:
    """A decoder layer: its norms' weights, its four joined linear layers, and their adapters.

    `adapters` holds for each name and linear layer A (ranks, in) and B (out, ranks), scaled.
    """

    first_norm: Tensor
    second_norm: Tensor
    linears: tuple[PackedLinear, ...]
    adapters: Mapping[str, tuple[tuple[Tensor, Tensor], ...]]

    def apply(self, index: int, x: Tensor, spans: Spans) -> Tensor:
        """Return a linear layer's output with the adapters' parts, in float32."""
        y = self.linears[index](x.bfloat16()).float()
        for name, rows in spans:
            a, b = self.adapters[name][index]
            if rows is None:
                y.addmm_(x @ a.t(), b.t())
            else:
                y.index_add_(0, rows, x[rows] @ a.t() @ b.t())
        return y


def read_layer(layer: Any, adapters: Sequence[str], size: int, *, pack: bool) -> DecoderLayer:
    """Read a layer of transformers' Llama, whose linear layers may be PEFT's.

    Args:
        adapters: Names of the adapters, as PEFT knows them.
        size: Features of a head.
        pack: Whether the weights are packed in 4 or 8 bits.
    """
    groups = [[getattr(getattr(layer, part), name) for name in names] for part, names in _MEMBERS]
    weights = [[_base(member).weight for member in members] for members in groups]
    turned = [_pair(weight, size) for weight in weights[0][:2]]
    joined = [[*turned, weights[0][2]], *weights[1:]]
    return DecoderLayer(
        layer.input_layernorm.weight.detach().float(),
        layer.post_attention_layernorm.weight.detach().float(),
        tuple(PackedLinear(torch.cat(each), pack=pack) for each in joined),
        {name: tuple(_join(members, name, size) for members in groups) for name in adapters},
    )


def _pair(weight: Tensor, size: int) -> Tensor:
    """Put the two features that rotate together side by side, as complex numbers need them.

    Queries and keys change alike, so that their products stay as they were.
    """
    halves = weight.view(-1, 2, size // 2, weight.shape[1])
    return halves.transpose(1, 2).reshape(weight.shape)


def _join(members: Sequence[Any], name: str, size: int) -> tuple[Tensor, Tensor]:
    """Return one A and one B for linear layers that share an input."""
    found = [member for member in members if name in getattr(member, "lora_A", ())]
    features = _base(members[0]).in_features
    if not found:
        return torch.zeros(0, features), torch.zeros(sum(map(_outputs, members)), 0)
    downs, blocks = [], []
    for member in members:
        if member not in found:
            blocks.append(torch.zeros(_outputs(member), 0))
            continue
        up = member.lora_B[name].weight.detach().float() * member.scaling[name]
        if len(members) == 3 and member is not members[2]:
            up = _pair(up, size)
        downs.append(member.lora_A[name].weight.detach().float())
        blocks.append(up)
    return torch.cat(downs), torch.block_diag(*blocks)


def _base(member: Any) -> Any:
    return member.get_base_layer() if hasattr(member, "get_base_layer") else member


def _outputs(member: Any) -> int:
    return int(_base(member).out_features)
