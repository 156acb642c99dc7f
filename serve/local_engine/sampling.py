"""The next token of every running sequence, drawn in one go."""

from collections.abc import Sequence

import torch
from torch import Tensor

from serve.local_engine.request import SamplingParams

_LIKELY = 512  # tokens among which a nucleus is sought before the whole vocabulary is sorted


def draw(
    logits: Tensor,
    made: Sequence[Sequence[int]],
    samplings: Sequence[SamplingParams],
    chances: Sequence[float],
) -> list[int]:
    """Choose a token for each row.

    A row's choice depends on nothing but that row, so a seeded sequence comes out the same
    whatever runs beside it.

    Args:
        logits: (rows, vocabulary), -inf for what a grammar forbids; penalties are taken off in
            place.
        made: The tokens that each sequence has so far, which the penalties are for.
        samplings: One for each row.
        chances: A random number in [0, 1) for each row, 0 where the temperature is 0.
    """

    def column(values: Sequence[float]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=logits.device)[:, None]

    for scores, tokens, how in zip(logits, made, samplings, strict=True):
        if tokens and (how.frequency_penalty or how.presence_penalty):
            seen, often = torch.tensor(tokens, device=logits.device).unique(return_counts=True)
            scores[seen] -= how.frequency_penalty * often + how.presence_penalty
    shares = (logits / column([max(s.temperature, 1e-4) for s in samplings])).softmax(dim=-1)
    # The smallest nucleus holds the likeliest token alone, which is temperature 0's meaning.
    nuclei = [s.temperature and s.top_p for s in samplings]
    if min(nuclei) < 1:
        shares *= shares >= _least(shares, column(nuclei))
    mass = shares.cumsum(dim=-1)
    # Rounding must not put the chance at the very end of the mass, after the last token.
    places = torch.minimum(column(chances) * mass[:, -1:], mass[:, -1:] * (1 - 1e-6))
    return list(torch.searchsorted(mass, places, right=True)[:, 0].tolist())


def _least(shares: Tensor, top_p: Tensor) -> Tensor:
    """Find the smallest share in each row's nucleus: the likeliest tokens that make up top_p."""
    partial = top_p < 1
    top = shares.topk(min(_LIKELY, shares.shape[1])).values
    if (partial & (top.sum(dim=-1, keepdim=True) < top_p)).any():
        top = shares.sort(dim=-1, descending=True).values
    before = top.cumsum(dim=-1) - top
    last = (before < top_p).sum(dim=-1, keepdim=True) - 1
    return torch.where(partial, top.gather(1, last.clamp(min=0)), 0.0)
