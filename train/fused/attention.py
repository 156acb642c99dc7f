"""Causal attention within documents that are packed into one row."""

import inspect
from collections.abc import Sequence
from itertools import pairwise, repeat
from typing import Any

import torch
from torch import Tensor

from train.fused import cpu_attention

NAME = "documents"
"""The name of this attention in transformers."""


def attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    starts: Tensor,
    longest: int,
    prefixes: Sequence[int] = (),
) -> Tensor:
    """Attend from each token to the earlier ones of its own document.

    Args:
        q: Queries, (tokens, heads, head size).
        k: Keys, of the same shape or with fewer heads.
        v: Values, with as many heads as the keys.
        starts: The start of each document, and the end of the last; int32.
        longest: Tokens of the longest document.
        prefixes: For each document, so many first tokens of the one before it are its own first
            tokens too; by default none. Only on a CPU.
    """
    if q.is_cuda:
        from torch.nn.attention.varlen import varlen_attn

        # torch 2.11 has no such option, and accepts fewer heads in k and v without it.
        has_option = "enable_gqa" in inspect.signature(varlen_attn).parameters
        options: dict[str, Any] = {"enable_gqa": True} if has_option else {}
        causal = (-1, 0)
        sizes = (starts, starts, longest, longest)
        return varlen_attn(q, k, v, *sizes, window_size=causal, **options)  # type: ignore[return-value]
    read, before = [], 0
    bounds = pairwise(starts.tolist())
    for (start, end), prefix in zip(bounds, prefixes or repeat(0), strict=False):
        keys, values = (
            torch.cat([x[before : before + prefix], x[start:end]]) if prefix else x[start:end]
            for x in (k, v)
        )
        read.append(cpu_attention.attend(q[start:end], keys, values))
        before = start
    return torch.cat(read)


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
