"""The next token of every running sequence, drawn in one go."""

from collections.abc import Sequence

import torch
from torch import Tensor

from serve.local.request import Sampling

_LIKELY = 512  # tokens among which a nucleus is sought before the whole vocabulary is sorted


def draw(
    logits: Tensor, counts: Tensor, samplings: Sequence[Sampling], chances: Sequence[float]
) -> list[int]:
    """Choose a token for each row.

    A row's choice depends on nothing but that row, so a seeded sequence comes out the same
    whatever runs beside it.

    Args:
        logits: (rows, vocabulary), -inf for what a grammar forbids.
        counts: (rows, vocabulary), how often each token was generated in the sequence.
        samplings: One for each row.
        chances: A random number in [0, 1) for each row, 0 where the temperature is 0.
    """

    def column(values: Sequence[float]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=logits.device)[:, None]

    logits = logits - column([s.frequency_penalty for s in samplings]) * counts
    logits -= column([s.presence_penalty for s in samplings]) * (counts > 0)
    shares = (logits / column([max(s.temperature, 1e-4) for s in samplings])).softmax(dim=-1)
    # The smallest nucleus holds the likeliest token alone, which is temperature 0's meaning.
    shares *= shares >= _least(shares, column([s.temperature and s.top_p for s in samplings]))
    mass = shares.cumsum(dim=-1)
    whole = mass[:, -1:]
    tokens = (mass <= column(chances) * whole).sum(dim=-1)
    # Rounding may put the chance at the very end of the mass, after the last token that has some.
    return tokens.minimum((mass < whole).sum(dim=-1)).tolist()


def _least(shares: Tensor, top_p: Tensor) -> Tensor:
    """Find the smallest share in each row's nucleus: the likeliest tokens that make up top_p."""
    partial = top_p < 1
    if not partial.any():
        return torch.zeros_like(top_p)
    top = shares.topk(min(_LIKELY, shares.shape[1])).values
    if (partial & (top.sum(dim=-1, keepdim=True) < top_p)).any():
        top = shares.sort(dim=-1, descending=True).values
    before = top.cumsum(dim=-1) - top
    last = (before < top_p).sum(dim=-1, keepdim=True) - 1
    return torch.where(partial, top.gather(1, last.clamp(min=0)), 0.0)
