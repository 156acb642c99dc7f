"""Causal attention within documents that lie end to end in one row."""

import inspect
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

NAME = "documents"
"""What transformers calls it."""


def attend(q: Tensor, k: Tensor, v: Tensor, starts: Tensor, longest: int) -> Tensor:
    """Let each token see the earlier ones of its own document.

    Args:
        q: (tokens, heads, size); `k` and `v` may have fewer heads.
        starts: Where each document starts, and the end of the last; int32.
        longest: The most tokens of a document.
    """
    if q.is_cuda:
        from torch.nn.attention.varlen import varlen_attn

        # torch 2.11 takes fewer heads in k and v without being asked.
        shared = "enable_gqa" in inspect.signature(varlen_attn).parameters
        options: dict[str, Any] = {"enable_gqa": True} if shared else {}
        causal = (-1, 0)
        sizes = (starts, starts, longest, longest)
        return varlen_attn(q, k, v, *sizes, window_size=causal, **options)  # type: ignore[return-value]
    bounds = starts.tolist()
    parts = []
    for start, end in pairwise(bounds):
        own_q, own_k, own_v = (x[start:end].transpose(0, 1)[None] for x in (q, k, v))
        found = scaled_dot_product_attention(own_q, own_k, own_v, is_causal=True, enable_gqa=True)
        parts.append(found[0].transpose(0, 1))
    return torch.cat(parts)


def register() -> None:
    """Make it known to transformers, with no mask: the document starts say it all."""
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register(NAME, _as_transformers_calls_it)
    AttentionMaskInterface.register(NAME, _no_mask)


def _no_mask(*_: Any, **__: Any) -> None:
    return None


def _as_transformers_calls_it(
    _module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    _mask: None,
    *,
    cu_seq_lens_q: Tensor,
    max_length_q: int,
    **_: Any,
) -> tuple[Tensor, None]:
    q, k, v = (x[0].transpose(0, 1) for x in (query, key, value))
    return attend(q, k, v, cu_seq_lens_q, max_length_q)[None], None
