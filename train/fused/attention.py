"""Causal attention within documents that are packed into one row."""

import inspect
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from train.fused import cpu_attention

NAME = "documents"
"""The name of this attention in transformers."""


def attend(q: Tensor, k: Tensor, v: Tensor, starts: Tensor, longest: int) -> Tensor:
    """Attend from each token to the earlier ones of its own document.

    Args:
        q: Queries, (tokens, heads, head size).
        k: Keys, of the same shape or with fewer heads.
        v: Values, with as many heads as the keys.
        starts: The start of each document, and the end of the last; int32.
        longest: Tokens of the longest document.
    """
    if q.is_cuda:
        from torch.nn.attention.varlen import varlen_attn

        # torch 2.11 has no such option, and accepts fewer heads in k and v without it.
        has_option = "enable_gqa" in inspect.signature(varlen_attn).parameters
        options: dict[str, Any] = {"enable_gqa": True} if has_option else {}
        causal = (-1, 0)
        sizes = (starts, starts, longest, longest)
        return varlen_attn(q, k, v, *sizes, window_size=causal, **options)  # type: ignore[return-value]
    bounds = pairwise(starts.tolist())
    return torch.cat(
        [cpu_attention.attend(q[start:end], k[start:end], v[start:end]) for start, end in bounds]
    )


def register() -> None:
    """Register this attention in transformers, without a mask: the starts replace it."""
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register(NAME, _transformers_attention)
    AttentionMaskInterface.register(NAME, _no_mask)


def _no_mask(*_: Any, **__: Any) -> None:
    return None


def _transformers_attention(
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
