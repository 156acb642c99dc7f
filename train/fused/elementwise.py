"""Everything between the matrix products, each function one pass over memory.

Plain PyTorch: it runs as written on a CPU; on a GPU torch.compile makes one kernel of each.
Activations are (tokens, features). A `seed` is a tensor with one int32; two calls with the same
seed and shape drop the same elements, so that no mask is kept for the backward pass.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast

import torch
from torch import Tensor
from torch.nn.functional import silu

P = ParamSpec("P")
R = TypeVar("R")


def _compiled_on_gpu(function: Callable[P, R]) -> Callable[P, R]:
    compiled = torch.compile(function)

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        tensors = [x for x in args if isinstance(x, Tensor)]
        if not tensors[0].is_cuda:
            return function(*args, **kwargs)
        for tensor in tensors:
            if tensor.ndim == 2:
                # Only the number of tokens changes from batch to batch.
                torch._dynamo.maybe_mark_dynamic(tensor, 0)
        return compiled(*args, **kwargs)

    return cast("Callable[P, R]", call)


def drop(x: Tensor, seed: Tensor, p: float) -> Tensor:
    """Zero a share `p` of the elements and scale the others up, as dropout does."""
    if p == 0:
        return x
    # A hash of each element's index. Multiplications wrap, shifts are made logical by a mask.
    bits = torch.arange(x.numel(), dtype=torch.int32, device=x.device) + seed
    bits = bits * -1640531535
    bits = (bits ^ ((bits >> 15) & 0x1FFFF)) * -2048144789
    bits = (bits ^ ((bits >> 13) & 0x7FFFF)) & 0x7FFFFFFF
    kept = (bits >= int(p * 2**31)).view(x.shape)
    return torch.where(kept, x / (1 - p), 0)


dropped = _compiled_on_gpu(drop)


def _widened(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _normalized(h: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    wide = _widened(h)
    scale = torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return wide * scale, scale


@_compiled_on_gpu
def norm(h: Tensor, seed: Tensor, weight: Tensor, eps: float, p: float) -> tuple[Tensor, Tensor]:
    """Normalise by the root mean square; return it also with dropout."""
    n = weight * _normalized(h, eps)[0].to(h.dtype)
    return n, drop(n, seed, p)


@_compiled_on_gpu
def norm_backward(
    through: Tensor,
    adapted: Tensor,
    h: Tensor,
    past: Tensor,
    seed: Tensor,
    weight: Tensor,
    eps: float,
    p: float,
) -> Tensor:
    """Return the gradient of `h`.

    Args:
        through: The gradient that came through the frozen weights.
        adapted: The one through the adapters, before dropout.
        h: What was normalised.
        past: The gradient of the residual stream, which by-passed the normalisation.
        seed: The seed of `norm`; so are the other arguments.
    """
    unit, scale = _normalized(h, eps)
    grad = _widened(through + drop(adapted, seed, p)) * weight
    grad = scale * (grad - unit * (grad * unit).mean(-1, keepdim=True))
    return past + grad.to(h.dtype)


@_compiled_on_gpu
def add_dropped(through: Tensor, adapted: Tensor, seed: Tensor, p: float) -> Tensor:
    """Add the gradients through the frozen weights and through the adapters."""
    return through + drop(adapted, seed, p)


def _turn(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    heads = x.view(x.shape[0], -1, cos.shape[-1])
    low, high = heads.chunk(2, dim=-1)
    turned = heads * cos[:, None] + torch.cat((-high, low), dim=-1) * sin[:, None]
    return turned.view(x.shape)


@_compiled_on_gpu
def rotate(y: Tensor, cos: Tensor, sin: Tensor, width: int) -> Tensor:
    """Apply rotary positions to the first `width` features: queries and keys, not values."""
    return torch.cat((_turn(y[:, :width], cos, sin), y[:, width:]), dim=1)


@_compiled_on_gpu
def rotate_backward(dq: Tensor, dk: Tensor, dv: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn the gradients of queries and keys back, and put all three side by side."""
    return torch.cat((_turn(dq, cos, -sin), _turn(dk, cos, -sin), dv), dim=1)


@_compiled_on_gpu
def swiglu(gate_up: Tensor, seed: Tensor, p: float) -> tuple[Tensor, Tensor]:
    """Return silu(gate) * up, and the same with dropout."""
    gate, up = gate_up.chunk(2, dim=1)
    out = silu(gate) * up
    return out, drop(out, seed, p)


@_compiled_on_gpu
def swiglu_backward(
    through: Tensor, adapted: Tensor, gate_up: Tensor, seed: Tensor, p: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of gate and of up, and the dropped product once more.

    Three outputs of one shape make one kernel; side by side in one they would make two.
    """
    gate, up = (_widened(x) for x in gate_up.chunk(2, dim=1))
    grad = _widened(through + drop(adapted, seed, p))
    sigmoid = torch.sigmoid(gate)
    active = gate * sigmoid
    d_gate = grad * up * (sigmoid + active * (1 - sigmoid))
    product = active.to(gate_up.dtype) * up.to(gate_up.dtype)
    dtype = gate_up.dtype
    return d_gate.to(dtype), (grad * active).to(dtype), drop(product, seed, p)


@_compiled_on_gpu
def cross_entropy(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return the summed loss of (tokens, vocabulary) in float32, and its gradient."""
    wide = _widened(logits)
    scores = (wide - wide.amax(1, keepdim=True)).exp()
    whole = scores.sum(1, keepdim=True)
    chance = scores / whole
    is_target = torch.arange(logits.shape[1], device=logits.device) == targets[:, None]
    found = torch.where(is_target, wide, 0).sum(1, keepdim=True)
    loss = (whole.log() + wide.amax(1, keepdim=True) - found).sum()
    return loss.float(), (chance - is_target.to(chance.dtype)).to(logits.dtype)
