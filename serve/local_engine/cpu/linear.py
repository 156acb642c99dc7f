"""Linear layers of frozen weights on a CPU, in 8 bits and in bf16.

A decoding step reads every weight once for a row or a few, so that its time is that of reading
them. In 8 bits there is half as much to read as in bf16, and the products themselves are twice as
fast. The kernel is oneDNN's, behind operators of torch that have no public name
(`torch.ops.onednn`; torch.compile and torchao call them). This is the one module that calls them.
"""

from typing import Any, Literal, Protocol

import torch
from torch import Tensor
from torch.nn import functional

Precision = Literal["int8", "bfloat16"]


class Linear(Protocol):
    """y = x Wᵀ for x of (rows, in) in float32."""

    def __call__(self, x: Tensor) -> Tensor:
        """Return the product in float32."""


def make_linear(weight: Tensor, precision: Precision, *, fine: bool = False) -> Linear:
    """Make a linear layer of a weight (out, in); `fine` is for rows that 8 bits would hurt."""
    return Int8Linear(weight, fine=fine) if precision == "int8" else Bf16Linear(weight)


def is_int8_supported() -> bool:
    """Return whether this build of torch has the kernel; those for macOS have not."""
    return bool(torch.backends.mkldnn.is_available()) and hasattr(
        torch.ops.onednn, "qlinear_pointwise"
    )


class Bf16Linear:
    """Weights and products in bf16."""

    def __init__(self, weight: Tensor) -> None:
        self._weight = weight.bfloat16()

    def __call__(self, x: Tensor) -> Tensor:
        """Return the product in float32."""
        return functional.linear(x.bfloat16(), self._weight).float()


class Float32Linear:
    """Products in float32, with weights that are kept as they are."""

    def __init__(self, weight: Tensor) -> None:
        self._weight = weight

    def __call__(self, x: Tensor) -> Tensor:
        """Return the product in float32."""
        return functional.linear(x, self._weight.float())


class Int8Linear:
    """Weights in 8 bits with a scale for each output; each row of x likewise, as it comes.

    With `fine` a row has 16 bits: its low bytes and its high bytes are two rows for the kernel.
    A row's result does not depend on the rows beside it.
    """

    def __init__(self, weight: Tensor, *, fine: bool) -> None:
        wide = weight.float()
        self._fine, self._scales = fine, (wide.abs().amax(1) / 127).clamp(min=1e-12)
        steps = (wide / self._scales[:, None]).round().to(torch.int8)
        self._packed = torch.ops.onednn.qlinear_prepack(steps, None)
        self._zeros = torch.zeros(len(wide), dtype=torch.long)
        # The kernel takes unsigned integers, so that rows are shifted by half of their range. The
        # bias takes that out again: of the bytes times 1 and 256 together, or of the one byte.
        shift = 2**15 / 257 if fine else 2**7
        self._bias = -shift * steps.sum(1) * self._scales

    def __call__(self, x: Tensor) -> Tensor:
        """Return the product in float32."""
        largest = x.abs().amax(1, keepdim=True)
        if not self._fine:
            factors = torch.div(127, largest)
            return self._multiply(torch.addcmul(_HALF_BYTE, x, factors).to(torch.uint8)).div_(
                factors
            )
        factors = torch.div(2**15 - 256, largest)
        steps = torch.addcmul(_HALF_WORD, x, factors).to(torch.int32)
        split = steps.view(torch.uint8).view(*x.shape, 4)[..., :2].permute(2, 0, 1)
        low, high = self._multiply(split.reshape(-1, x.shape[1])).chunk(2)
        return low.add_(high, alpha=256).div_(factors)

    def _multiply(self, rows: Tensor) -> Tensor:
        kernel: Any = torch.ops.onednn.qlinear_pointwise
        product: Tensor = kernel(
            *(rows, 1.0, 0, self._packed, self._scales, self._zeros, self._bias),
            *(1.0, 0, torch.float32, "none", [], ""),
        )
        return product


# Half of the range, and a half because integers are made by cutting.
_HALF_BYTE, _HALF_WORD = torch.tensor(2**7 + 0.5), torch.tensor(2**15 + 0.5)
