"""Causal attention on a CPU as plain matrix products, with the backward pass written out.

Torch's own flash attention for CPUs took 27 ms of a layer's backward pass for 960 tokens of
SmolLM2-135M, more than the layer's matrix products. Here the probabilities are kept (17 MB a layer
at 960 tokens in bf16), and tokens are taken in blocks, so that most of the products above the
diagonal are never computed.
"""

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

_BLOCK = 256  # queries at a time


class CausalAttention(torch.autograd.Function):
    """Attention of one document; the arguments and the result are (tokens, heads, size).

    Keys and values may have fewer heads: those of queries are grouped. They may have more tokens:
    the queries are those of the last ones.
    """

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Return what each token reads from itself and those before it."""
        tokens, earlier, (groups, size) = len(q), len(k) - len(q), k.shape[1:]
        queries = _grouped(q * size**-0.5, groups)
        keys, values = k.transpose(0, 1).contiguous(), v.transpose(0, 1).contiguous()
        out, kept = torch.empty_like(queries), []
        for start in range(0, tokens, _BLOCK):
            end = min(start + _BLOCK, tokens)
            seen = earlier + end
            scores = _flat(queries, start, end) @ keys[:, :seen].transpose(1, 2)
            scores = scores.view(groups, -1, end - start, seen)
            scores[..., earlier + start :].masked_fill_(_later(end - start), -torch.inf)
            shares = scores.softmax(-1)
            kept.append(shares)
            found = shares.view(groups, -1, seen) @ values[:, :seen]
            out[:, :, start:end] = found.view(groups, -1, end - start, size)
        ctx.save_for_backward(queries, keys, values, out, *kept)
        return _ungrouped(out)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradients of queries, keys and values."""
        queries, keys, values, out, *kept = ctx.saved_tensors
        groups, _, tokens, size = queries.shape
        grads = _grouped(grad, groups)
        # The row sums of shares times their gradients: what softmax's gradient subtracts.
        means = (grads.float() * out.float()).sum(-1, keepdim=True).to(grads.dtype)
        dq = torch.empty_like(queries)
        dk = torch.zeros_like(keys, dtype=torch.float32)
        dv = torch.zeros_like(values, dtype=torch.float32)
        for start, shares in zip(range(0, tokens, _BLOCK), kept, strict=True):
            end, seen = min(start + _BLOCK, tokens), shares.shape[-1]
            block = _flat(grads, start, end)
            flat = shares.view(groups, -1, seen)
            dv[:, :seen] += flat.transpose(1, 2) @ block
            slopes = (block @ values[:, :seen].transpose(1, 2)).view(shares.shape)
            slopes = slopes.sub_(means[:, :, start:end]).mul_(shares).view(flat.shape)
            dq[:, :, start:end] = (slopes @ keys[:, :seen]).view(groups, -1, end - start, size)
            dk[:, :seen] += slopes.transpose(1, 2) @ _flat(queries, start, end)
        dk, dv = dk.transpose(0, 1).to(grad.dtype), dv.transpose(0, 1).to(grad.dtype)
        return _ungrouped(dq * size**-0.5), dk, dv


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Let each token of one document see itself and the earlier ones.

    Args:
        q: Queries, (tokens, heads, size); those of the last tokens are enough.
        k: Keys of all tokens.
        v: Values of all tokens.
    """
    out: Tensor = CausalAttention.apply(q, k, v)  # type: ignore[no-untyped-call]
    return out


def _grouped(x: Tensor, groups: int) -> Tensor:
    """Turn (tokens, heads, size) into (groups, heads of a group, tokens, size)."""
    tokens, _, size = x.shape
    return x.reshape(tokens, groups, -1, size).permute(1, 2, 0, 3).contiguous()


def _ungrouped(x: Tensor) -> Tensor:
    return x.permute(2, 0, 1, 3).reshape(x.shape[2], -1, x.shape[3])


def _flat(x: Tensor, start: int, end: int) -> Tensor:
    """Return a block's rows of all heads of a group, one below the other."""
    return x[:, :, start:end].reshape(x.shape[0], -1, x.shape[3])


@lru_cache(maxsize=64)
def _later(tokens: int) -> Tensor:
    """Return which keys of a block are later than its queries."""
    return torch.ones(tokens, tokens, dtype=torch.bool).triu(1)
