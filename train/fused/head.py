"""The loss of completion tokens, without ever holding all logits.

The gradient of the logits is known as soon as they are, so that it is made in the forward pass:
two matrix products a tile instead of the three of a head that computes its logits twice.
"""

from typing import Any

import torch
from torch import Tensor

from train.estimate.memory import TILE
from train.fused.elementwise import cross_entropy


def completion_loss(hidden: Tensor, weight: Tensor, places: Tensor, targets: Tensor) -> Tensor:
    """Return the summed cross-entropy of the tokens to predict, in float32.

    Args:
        hidden: What the last layer says, (tokens, hidden).
        weight: The frozen head, (vocabulary, hidden).
        places: Of the tokens after which one is predicted.
        targets: The tokens predicted there, as many as `places`.
    """
    if torch.is_grad_enabled():
        loss: Tensor = _Head.apply(hidden, weight, places, targets)  # type: ignore[no-untyped-call]
        return loss
    return _score(hidden[places], weight, targets, None)


def _score(chosen: Tensor, weight: Tensor, targets: Tensor, grad: Tensor | None) -> Tensor:
    """Sum the losses tile by tile, and fill in the gradient of `chosen` where it is wanted."""
    total = torch.zeros((), dtype=torch.float32, device=chosen.device)
    for start in range(0, len(targets), TILE):
        part = slice(start, start + TILE)
        loss, slope = cross_entropy(chosen[part] @ weight.t(), targets[part])
        total += loss
        if grad is not None:
            torch.mm(slope, weight, out=grad[part])
    return total


class _Head(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, places: Tensor, targets: Tensor
    ) -> Tensor:
        chosen = hidden[places]
        grad = torch.empty_like(chosen)
        total = _score(chosen, weight, targets, grad)
        ctx.save_for_backward(grad, places)
        ctx.shape = hidden.shape
        return total

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor | None, ...]:
        grad, places = ctx.saved_tensors
        whole = grad.new_zeros(ctx.shape)
        whole.index_copy_(0, places, grad * outer.to(grad.dtype))
        return whole, None, None, None
