"""Weights of linear layers packed in 4 or 8 bits, for products of a few rows on a CPU.

A decoding step reads every weight once for a row or a few, so its time is that of reading them.
The kernels are torch's own but private (`_weight_int4pack_mm_for_cpu`, `_weight_int8pack_mm`).
This is the one module that calls them.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

GROUP = 32
"""Weights that share a scale and an offset in 4 bits, as in GGUF's Q4_1."""

EXACT = 0.005
"""Relative error up to which 4 bits count as the weights themselves. What a Q4_1 file was
dequantised to packs again with 0.0023, the rounding of bf16; other weights with about 0.09."""

_MOST_ROWS = {4: 8, 8: 2, 16: 0}
"""Rows up to which the packed kernels of so many bits are faster than torch's bf16 products.

With one thread, the head of SmolLM2 takes 4.2 ms in 8 bits and 6.5 ms in bf16 for one row, 11.3
and 8.3 ms for eight. Its 30 layers take 6 and 9 ms for one row in 4 bits and bf16, 21 and 18 ms
for eight.
"""

_kernels: Any = torch.ops.aten


class PackedLinear:
    """y = x Wᵀ for x of (rows, in) in bf16, and W of (out, in).

    Args:
        pack: Whether W is packed; else W is used in bf16.

    Attributes:
        bits: 4 where the weights are of 4 bits already, else 8; 16 if they are not packed.
    """

    def __init__(self, weight: Tensor, *, pack: bool = True) -> None:
        self._given = self._weight = weight.detach().bfloat16()
        self.bits = 16
        if not pack:
            return
        packed = _pack_4bit(weight) if weight.shape[1] % GROUP == 0 else None
        self.bits = 8 if packed is None else 4
        self._packed, self._scales = packed if packed is not None else _pack_8bit(weight)
        if packed is None:
            # Many rows are multiplied by what the packed weights stand for, so that a score of
            # many tokens at once is one of these weights.
            self._weight = self._packed * self._scales[:, None]

    def __call__(self, x: Tensor) -> Tensor:
        """Return the product in bf16."""
        product: Tensor
        if x.shape[0] > _MOST_ROWS[self.bits]:
            product = linear(x, self._weight)
        elif self.bits == 4:
            product = _kernels._weight_int4pack_mm_for_cpu(x, self._packed, GROUP, self._scales)
        else:
            product = _kernels._weight_int8pack_mm(x, self._packed, self._scales)
        return product

    def multiply_exactly(self, x: Tensor) -> Tensor:
        """Return the product in float32, by the weights as they were given.

        bf16 rounds a logit of 20 by up to 0.06, which is much for a score.
        """
        return linear(x.float(), self._given.float())


def _pack_4bit(weight: Tensor) -> tuple[Tensor, Tensor] | None:
    """Pack with a scale and an offset for each group; None if that changes the weights."""
    wide = weight.detach().float()
    rows, columns = wide.shape
    groups = wide.view(rows, columns // GROUP, GROUP)
    low, high = groups.amin(2), groups.amax(2)
    scale = ((high - low) / 15).clamp(min=1e-8)
    steps = ((groups - low[..., None]) / scale[..., None]).round().clamp(0, 15)
    scale, offset = scale.bfloat16(), (low + 8 * scale).bfloat16()
    unpacked = (steps - 8) * scale.float()[..., None] + offset.float()[..., None]
    if (unpacked - groups).norm() > EXACT * groups.norm():
        return None
    integers = steps.view(rows, columns).to(torch.int32)
    packed: Tensor = _kernels._convert_weight_to_int4pack_for_cpu(integers, 1)
    return packed, torch.stack([scale, offset], -1).transpose(0, 1).contiguous()


def _pack_8bit(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Pack with a scale for each output feature."""
    wide = weight.detach().float()
    scale = (wide.abs().amax(1) / 127).clamp(min=1e-12).bfloat16()
    steps = (wide / scale.float()[:, None]).round().clamp(-127, 127)
    return steps.to(torch.int8), scale
