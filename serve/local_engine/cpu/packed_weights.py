"""The weights of a Llama with one adapter merged into them, in float32 or packed in 8 bits."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

GROUP = 64
"""Weights that share a scale. ONNX Runtime rounds the layer's input by the same groups."""


@dataclass(frozen=True, slots=True)
class PackedWeight:
    """A weight of (out, in) in 8 bits.

    Attributes:
        steps: Whole numbers around 128, uint8, (out, in / GROUP, GROUP).
        scales: What a step is worth, float32, (out, in / GROUP).
    """

    steps: Tensor
    scales: Tensor


def merge_adapter(member: Any, adapter: str | None) -> Tensor:
    """Return the weight of a linear layer, which may be PEFT's, in float32.

    Args:
        adapter: The adapter that is added, as PEFT knows it; None for the base.
    """
    base = member.get_base_layer() if hasattr(member, "get_base_layer") else member
    weight: Tensor = base.weight.detach().float()
    if adapter in getattr(member, "lora_A", ()):
        # PEFT's own `get_delta_weight` rounds to the adapter's type.
        down, up = (
            each[adapter].weight.detach().float() for each in (member.lora_A, member.lora_B)
        )
        weight = torch.addmm(weight, up, down, alpha=member.scaling[adapter])
    return weight


def pack_8bit(weight: Tensor) -> PackedWeight:
    """Pack with a scale for each group of a row; an error of at most half a step each."""
    groups = weight.unflatten(1, (-1, GROUP))
    scales = (groups.abs().amax(2) / 127).clamp(min=1e-12)
    steps = (groups / scales[..., None]).round_().add_(128)
    return PackedWeight(steps.to(torch.uint8), scales)
