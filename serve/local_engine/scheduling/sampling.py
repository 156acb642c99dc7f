"""Sampling of the next token of every running sequence, in one batch."""

from collections.abc import Sequence

import torch
from torch import Tensor

from serve.local_engine.request import SamplingParams

_TOP = 512  # likeliest tokens to look for a nucleus in, before the whole vocabulary is sorted


def sample(
    logits: Tensor,
    generated: Sequence[Sequence[int]],
    params: Sequence[SamplingParams],
    randoms: Sequence[float],
) -> list[int]:
    """Sample a token for each row.

    A row's token depends only on that row, so that a seeded sequence is the same whatever runs
    beside it.

    Args:
        logits: Shaped (rows, vocabulary), -inf for tokens that a grammar forbids. Penalties are
            subtracted in place.
        generated: The tokens of each sequence so far, to which the penalties apply.
        params: The parameters of each row.
        randoms: A random number in [0, 1) for each row; 0 where the temperature is 0.
    """

    def column(values: Sequence[float]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=logits.device)[:, None]

    for row, tokens, p in zip(logits, generated, params, strict=True):
        if tokens and (p.frequency_penalty or p.presence_penalty):
            ids, counts = torch.tensor(tokens, device=logits.device).unique(return_counts=True)
            row[ids] -= p.frequency_penalty * counts + p.presence_penalty
    probabilities = (logits / column([max(p.temperature, 1e-4) for p in params])).softmax(dim=-1)
    # Temperature 0 becomes the smallest nucleus, which has only the likeliest token.
    top_p = [p.temperature and p.top_p for p in params]
    if min(top_p) < 1:
        probabilities *= probabilities >= _smallest_in_nucleus(probabilities, column(top_p))
    cumulative = probabilities.cumsum(dim=-1)
    total = cumulative[:, -1:]
    # Rounding must not put the point at the very end of the sum, after the last token.
    points = torch.minimum(column(randoms) * total, total * (1 - 1e-6))
    return list(torch.searchsorted(cumulative, points, right=True)[:, 0].tolist())


def _smallest_in_nucleus(probabilities: Tensor, top_p: Tensor) -> Tensor:
    """Find the smallest probability in each row's nucleus: its likeliest tokens, up to top_p."""
    partial = top_p < 1
    top = probabilities.topk(min(_TOP, probabilities.shape[1])).values
    if (partial & (top.sum(dim=-1, keepdim=True) < top_p)).any():
        top = probabilities.sort(dim=-1, descending=True).values
    before = top.cumsum(dim=-1) - top
    last = (before < top_p).sum(dim=-1, keepdim=True) - 1
    return torch.where(partial, top.gather(1, last.clamp(min=0)), 0.0)
