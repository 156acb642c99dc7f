"""The operations between the matrix products; each function is one pass over memory.

They are plain PyTorch, run as they are on a CPU. On a GPU torch.compile makes one kernel of each.
Activations are (tokens, features). A `seed` is a tensor with one int32. Two calls with the same
seed and shape drop the same elements, so that the backward pass needs no stored mask.
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
                # Only the number of tokens changes between batches. torch.compiler has no public
                # function to say so.
                torch._dynamo.maybe_mark_dynamic(tensor, 0)
        return compiled(*args, **kwargs)

    return cast("Callable[P, R]", call)


def drop(x: Tensor, seed: Tensor, p: float) -> Tensor:
    """Apply dropout: zero a share `p` of the elements, and scale up the others."""
    if p == 0:
        return x
    # A hash of each element's index. Multiplications wrap, and masks make the shifts logical.
    bits = torch.arange(x.numel(), dtype=torch.int32, device=x.device) + seed
    bits = bits * -1640531535
    bits = (bits ^ ((bits >> 15) & 0x1FFFF)) * -2048144789
    bits = (bits ^ ((bits >> 13) & 0x7FFFF)) & 0x7FFFFFFF
    kept = (bits >= int(p * 2**31)).view(x.shape)
    return torch.where(kept, x / (1 - p), 0)


_dropped = _compiled_on_gpu(drop)


def dropped(x: Tensor, seed: Tensor, p: float) -> Tensor:
    """Apply dropout in a kernel of its own.

    Without dropout, as in evaluations, `drop` has nothing to compile. torch.compile would remember
    that, and run it uncompiled ever after.
    """
    return _dropped(x, seed, p) if p else x


def _widened(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _normalized(h: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    wide = _widened(h)
    scale = torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return wide * scale, scale


@_compiled_on_gpu
def norm(h: Tensor, seed: Tensor, weight: Tensor, eps: float, p: float) -> tuple[Tensor, Tensor]:
    """Normalise by the root mean square; return the result without and with dropout."""
    n = weight * _normalized(h, eps)[0].to(h.dtype)
    return n, drop(n, seed, p)


@_compiled_on_gpu
def norm_backward(
    d_frozen: Tensor,
    d_adapted: Tensor,
    h: Tensor,
    residual: Tensor,
    seed: Tensor,
    weight: Tensor,
    eps: float,
    p: float,
) -> Tensor:
    """Return the gradient of `h`.

    Args:
        d_frozen: The gradient through the frozen weights.
        d_adapted: The gradient through the adapters, before dropout.
        h: The input of `norm`.
        residual: The gradient of the residual stream beside the normalisation.
        seed: The seed of `norm`.
        weight: The weight of `norm`.
        eps: The epsilon of `norm`.
        p: The dropout of `norm`.
    """
    unit, scale = _normalized(h, eps)
    grad = _widened(d_frozen + drop(d_adapted, seed, p)) * weight
    grad = scale * (grad - unit * (grad * unit).mean(-1, keepdim=True))
    return residual + grad.to(h.dtype)


def _by_head(x: Tensor, weight: Tensor) -> Tensor:
    return x.view(x.shape[0], -1, weight.shape[0])


@_compiled_on_gpu
def norm_heads(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """Normalise each head of queries or keys (tokens, features) by itself."""
    n = weight * _normalized(_by_head(x, weight), eps)[0].to(x.dtype)
    return n.view(x.shape)


@_compiled_on_gpu
def norm_heads_backward(grad: Tensor, x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """Return the gradient of the input `x` of `norm_heads`."""
    unit, scale = _normalized(_by_head(x, weight), eps)
    wide = _widened(_by_head(grad, weight)) * weight
    wide = scale * (wide - unit * (wide * unit).mean(-1, keepdim=True))
    return wide.to(x.dtype).view(x.shape)


@_compiled_on_gpu
def add_dropped(d_frozen: Tensor, d_adapted: Tensor, seed: Tensor, p: float) -> Tensor:
    """Add the gradients through the frozen weights and through the adapters."""
    return d_frozen + drop(d_adapted, seed, p)


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    heads = x.view(x.shape[0], -1, cos.shape[-1])
    low, high = heads.chunk(2, dim=-1)
    rotated = heads * cos[:, None] + torch.cat((-high, low), dim=-1) * sin[:, None]
    return rotated.view(x.shape)


@_compiled_on_gpu
def rotate(y: Tensor, cos: Tensor, sin: Tensor, width: int) -> Tensor:
    """Apply rotary positions to the first `width` features: queries and keys, not values."""
    return torch.cat((_rotate(y[:, :width], cos, sin), y[:, width:]), dim=1)


@_compiled_on_gpu
def rotate_backward(dq: Tensor, dk: Tensor, dv: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate the gradients of queries and keys back, and concatenate all three."""
    return torch.cat((_rotate(dq, cos, -sin), _rotate(dk, cos, -sin), dv), dim=1)


@_compiled_on_gpu
def swiglu(gate_up: Tensor, seed: Tensor, p: float) -> tuple[Tensor, Tensor]:
    """Return silu(gate) * up, without and with dropout."""
    gate, up = gate_up.chunk(2, dim=1)
    out = silu(gate) * up
    return out, drop(out, seed, p)


def swiglu_backward(
    d_frozen: Tensor, d_adapted: Tensor, gate_up: Tensor, seed: Tensor, p: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of gate and up, and again the product with dropout."""
    backward = _swiglu_backward_gpu if gate_up.is_cuda else _swiglu_backward_cpu
    return backward(d_frozen, d_adapted, gate_up, seed, p)


def _swiglu_backward_cpu(
    d_frozen: Tensor, d_adapted: Tensor, gate_up: Tensor, seed: Tensor, p: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Use torch's kernels of one pass each, which read and write the type of the activations."""
    gate, up = gate_up.chunk(2, dim=1)
    grad = d_frozen + drop(d_adapted, seed, p)
    active = silu(gate)
    d_gate: Tensor = torch.ops.aten.silu_backward(grad * up, gate)
    return d_gate, grad * active, drop(active * up, seed, p)


@_compiled_on_gpu
def _swiglu_backward_gpu(
    d_frozen: Tensor, d_adapted: Tensor, gate_up: Tensor, seed: Tensor, p: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Compute in float32; three outputs of one shape compile to one kernel, one to two."""
    gate, up = (_widened(x) for x in gate_up.chunk(2, dim=1))
    grad = _widened(d_frozen + drop(d_adapted, seed, p))
    sigmoid = torch.sigmoid(gate)
    active = gate * sigmoid
    d_gate = grad * up * (sigmoid + active * (1 - sigmoid))
    product = active.to(gate_up.dtype) * up.to(gate_up.dtype)
    dtype = gate_up.dtype
    return d_gate.to(dtype), (grad * active).to(dtype), drop(product, seed, p)


def cross_entropy(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return the summed loss of logits (tokens, vocabulary) in float32, and their gradient.

    Negative targets do not count.
    """
    compute = _cross_entropy_gpu if logits.is_cuda else _cross_entropy_cpu
    return compute(logits, targets)


def _cross_entropy_cpu(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Change one element a row, where the compiled kernel compares every column."""
    # In place: to allocate a second tensor of this size takes longer than to compute it.
    wide = _widened(logits)
    wide = wide.clone() if wide is logits else wide
    wide.sub_(wide.amax(1, keepdim=True))
    places = torch.arange(len(targets)), targets.clamp(min=0)
    ignored = targets < 0
    target = wide[places]
    total = wide.exp_().sum(1)
    loss = (total.log() - target)[~ignored].sum()
    gradient = wide.mul_(1 / total[:, None])
    gradient[places] -= 1
    gradient[ignored] = 0
    return loss.float(), gradient.to(logits.dtype)


@_compiled_on_gpu
def _cross_entropy_gpu(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    wide = _widened(logits)
    scores = (wide - wide.amax(1, keepdim=True)).exp()
    total = scores.sum(1, keepdim=True)
    probability = scores / total
    is_target = torch.arange(logits.shape[1], device=logits.device) == targets[:, None]
    target = torch.where(is_target, wide, 0).sum(1, keepdim=True)
    learned = targets[:, None] >= 0
    loss = torch.where(learned, total.log() + wide.amax(1, keepdim=True) - target, 0).sum()
    gradient = torch.where(learned, probability - is_target.to(probability.dtype), 0)
    return loss.float(), gradient.to(logits.dtype)
