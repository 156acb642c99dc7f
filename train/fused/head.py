"""The loss of completion tokens, with the logits of one tile of tokens in memory at a time.

The gradient of the logits follows from the logits, so that the forward pass computes both. That
takes two matrix products a tile; a head that computes its logits twice takes three.
"""

from typing import Any

import torch
from torch import Tensor

from train.estimate.memory import TILE
from train.fused.elementwise import cross_entropy

IGNORED = -100
"""The target of a place that nothing is learned from."""

_CPU_TILE = 128  # tokens whose logits are in the cache while they are worked on


def completion_loss(hidden: Tensor, weight: Tensor, places: Tensor, targets: Tensor) -> Tensor:
    """Return the summed cross-entropy of the completion tokens, in float32.

    Args:
        hidden: The output of the last layer, (tokens, hidden).
        weight: The frozen head, (vocabulary, hidden).
        places: The index of the token before each target.
        targets: The tokens to predict, as many as `places`; `IGNORED` ones do not count.
    """
    if torch.is_grad_enabled():
        loss: Tensor = _Head.apply(hidden, weight, places, targets)  # type: ignore[no-untyped-call]
        return loss
    return _score(hidden[places], weight, targets, None)


def _score(chosen: Tensor, weight: Tensor, targets: Tensor, grad: Tensor | None) -> Tensor:
    """Sum the losses tile by tile, and write the gradient of `chosen` into `grad` if given."""
    total = torch.zeros((), dtype=torch.float32, device=chosen.device)
    tile = TILE if chosen.is_cuda else _CPU_TILE
    for start in range(0, len(targets), tile):
        part = slice(start, start + tile)
        loss, d_logits = cross_entropy(chosen[part] @ weight.t(), targets[part])
        total += loss
        if grad is not None:
            torch.mm(d_logits, weight, out=grad[part])
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
        d_hidden = grad.new_zeros(ctx.shape)
        d_hidden.index_copy_(0, places, grad * outer.to(grad.dtype))
        return d_hidden, None, None, None
