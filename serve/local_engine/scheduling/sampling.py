"""Sampling of the next token of every running sequence, in one batch."""

import hashlib
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from serve.local_engine.request.sampling import SamplingParams

_TOP = 512  # likeliest tokens to look for a nucleus in; eight times as many where it is larger

_SMALLEST_DRAW = 1e-7
"""A float32 draw is a multiple of about this. A 0, one in 2**23 draws, must not always win."""


class RandomStream:
    """The random numbers of one choice: they depend on its seed and its index, and nothing else.

    Args:
        seed: Any whole number; each has streams of its own, whatever its sign.
        index: The choice's number.
    """

    def __init__(self, seed: int, index: int) -> None:
        digest = hashlib.sha256(f"{seed},{index}".encode()).digest()
        entropy = np.random.SeedSequence(int.from_bytes(digest))
        self._generator = np.random.Generator(np.random.SFC64(entropy))

    def draw(self, count: int) -> Tensor:
        """Draw exponentially distributed numbers, one for each token of the vocabulary."""
        numbers = self._generator.standard_exponential(count, dtype=np.float32)
        return torch.from_numpy(numbers)


@dataclass(frozen=True, slots=True)
class SampledRow:
    """What the next token of a sequence depends on, besides its logits.

    Attributes:
        prompt: Its token ids, which the repetition penalty counts too.
        generated: The tokens of the sequence so far, to which all penalties apply.
        end_tokens: The ids that would end it.
        draws: Exponentially distributed numbers, one a token; None where the temperature is 0.
    """

    params: SamplingParams
    prompt: Sequence[int]
    generated: Sequence[int]
    end_tokens: Collection[int]
    draws: Tensor | None


def sample(logits: Tensor, rows: Sequence[SampledRow]) -> list[int]:
    """Sample a token for each row.

    A row's token depends only on that row, so that a seeded sequence is the same whatever runs
    beside it. The tokens race: each takes an exponential time, by its own draw and its own
    probability, and the first one is taken. Small errors of the logits change the winner only if
    two tokens arrive nearly together, or if a token is at the very edge of the nucleus. With a
    point on a sum of all probabilities, the errors of all tokens before it would add up.

    Args:
        logits: Shaped (rows, vocabulary), -inf for tokens that a grammar forbids; changed in
            place.
    """
    for values, row in zip(logits, rows, strict=True):
        _shift_logits(values, row)
    params = [row.params for row in rows]
    for values, p in zip(logits, params, strict=True):
        if p.temperature and (p.min_p or p.top_k > 0):
            _keep_likeliest(values, p)
    scores = logits
    if any(p.temperature and p.top_p < 1 for p in params):
        scores = _keep_nucleus(logits, params)
    if any(row.draws is not None for row in rows):
        ones = torch.ones(logits.shape[1])
        times = torch.stack([ones if row.draws is None else row.draws for row in rows])
        # The logarithm of a token's time is -logit / temperature + log(draw). The temperature is a
        # factor here, so that one next to 0 is like 0.
        logs = times.to(logits.device).clamp_(min=_SMALLEST_DRAW).log_()
        scores -= logs.mul_(_column([p.temperature for p in params], logits))
    return list(scores.argmax(dim=-1).tolist())


def _shift_logits(logits: Tensor, row: SampledRow) -> None:
    """Apply what changes the logits of single tokens, in vLLM's order, in place."""
    p = row.params
    if len(row.generated) < p.min_tokens:
        ends = torch.tensor(sorted(row.end_tokens), device=logits.device)
        others = logits.index_fill(0, ends, -torch.inf)
        # A grammar that allows nothing but the end is stronger.
        if others.isfinite().any():
            logits.copy_(others)
    for token, bias in p.logit_bias.items():
        logits[token] += min(max(bias, -100.0), 100.0)
    if p.repetition_penalty != 1:
        ids = torch.tensor([*row.prompt, *row.generated], device=logits.device).unique()
        seen, by = logits[ids], p.repetition_penalty
        logits[ids] = torch.where(seen > 0, seen / by, seen * by)
    if row.generated and (p.frequency_penalty or p.presence_penalty):
        ids, counts = torch.tensor(row.generated, device=logits.device).unique(return_counts=True)
        logits[ids] -= p.frequency_penalty * counts + p.presence_penalty


def _keep_likeliest(logits: Tensor, p: SamplingParams) -> None:
    """Set the logits outside `min_p` and `top_k` to -inf, in place."""
    if p.min_p:
        # A probability is at least min_p of the greatest one.
        least = logits.max() + max(p.temperature, 1e-4) * math.log(p.min_p)
        logits.masked_fill_(logits < least, -torch.inf)
    if 0 < p.top_k < len(logits):
        logits.masked_fill_(logits < logits.topk(p.top_k).values[-1], -torch.inf)


def _column(values: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=torch.float32, device=like.device)[:, None]


def _keep_nucleus(logits: Tensor, params: Sequence[SamplingParams]) -> Tensor:
    """Set the logits outside each row's nucleus (its likeliest tokens, up to top_p) to -inf."""
    temperatures = _column([max(p.temperature, 1e-4) for p in params], logits)
    top_p = _column([p.top_p if p.temperature else 1.0 for p in params], logits)
    probabilities = (logits / temperatures).softmax(dim=-1)
    partial = top_p < 1
    count, size = _TOP, probabilities.shape[1]
    top = probabilities.topk(min(count, size)).values
    while count < size and (partial & (top.sum(dim=-1, keepdim=True) < top_p)).any():
        # Sorting the 49,152 tokens of SmolLM2 takes 26 ms, the 4,096 likeliest 0.6 ms.
        count *= 8
        top = probabilities.topk(min(count, size)).values
    before = top.cumsum(dim=-1) - top
    last = (before < top_p).sum(dim=-1, keepdim=True) - 1
    smallest = torch.where(partial, top.gather(1, last.clamp(min=0)), 0.0)
    return logits.masked_fill(probabilities < smallest, -torch.inf)
