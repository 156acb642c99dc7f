"""Sampling of the next token of every running sequence."""

import hashlib
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from serve.local_engine.request.sampling import SamplingParams

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]

_LEAST = (1e-3, 1e-6, 0.0)
"""Probabilities of the tokens to look for a nucleus in: the next where it is not whole in one."""

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

    def draw(self, count: int) -> Floats:
        """Draw a number from 0 to 1 for each token of the vocabulary."""
        return self._generator.random(count, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class SampledRow:
    """What the next token of a sequence depends on, besides its logits.

    Attributes:
        prompt: Its token ids, which the repetition penalty counts too.
        generated: The tokens of the sequence so far, to which all penalties apply.
        end_tokens: The ids that would end it.
        draws: Numbers from 0 to 1, one a token; None where the temperature is 0.
    """

    params: SamplingParams
    prompt: Sequence[int]
    generated: Sequence[int]
    end_tokens: Collection[int]
    draws: Floats | None


def sample(logits: Tensor, rows: Sequence[SampledRow]) -> list[int]:
    """Sample a token for each row.

    A row's token depends only on that row, so that a seeded sequence is the same whatever runs
    beside it. The tokens race: each takes an exponential time, by its own draw and its own
    probability, and the first one is taken. Small errors of the logits change the winner only if
    two tokens arrive nearly together, or if a token is at the very edge of the nucleus. With a
    point on a sum of all probabilities, the errors of all tokens before it would add up.

    Args:
        logits: Shaped (rows, vocabulary), -inf for tokens that a grammar forbids; on a CPU,
            changed in place.
    """
    # Shared by the rows: new memory for each would take longer than the computation in it.
    memory = torch.empty(2, logits.shape[1])
    return [
        _sample_row(values.numpy(), row, memory)
        for values, row in zip(logits.cpu(), rows, strict=True)
    ]


def _sample_row(logits: Floats, row: SampledRow, memory: Tensor) -> int:
    _shift_logits(logits, row)
    p = row.params
    if row.draws is None:
        return int(logits.argmax())
    _keep_likeliest(logits, p)
    tokens = _find_nucleus(logits, p, memory)
    times = np.maximum(-np.log1p(-row.draws[tokens]), _SMALLEST_DRAW)
    # The logarithm of a token's time is -logit / temperature + log(draw). The temperature is a
    # factor here, so that one next to 0 is like 0.
    scores = logits[tokens] - np.float32(p.temperature) * np.log(times)
    return int(tokens[scores.argmax()])


def _shift_logits(logits: Floats, row: SampledRow) -> None:
    """Apply what changes the logits of single tokens, in vLLM's order, in place."""
    p = row.params
    if len(row.generated) < p.min_tokens:
        others = logits.copy()
        others[[*row.end_tokens]] = -np.inf
        # A grammar that allows nothing but the end is stronger.
        if np.isfinite(others).any():
            logits[:] = others
    for token, bias in p.logit_bias.items():
        logits[token] += min(max(bias, -100.0), 100.0)
    if p.repetition_penalty != 1:
        ids = np.unique([*row.prompt, *row.generated])
        seen, by = logits[ids], p.repetition_penalty
        logits[ids] = np.where(seen > 0, seen / by, seen * by)
    if row.generated and (p.frequency_penalty or p.presence_penalty):
        ids, counts = np.unique(row.generated, return_counts=True)
        logits[ids] -= p.frequency_penalty * counts + p.presence_penalty


def _keep_likeliest(logits: Floats, p: SamplingParams) -> None:
    """Set the logits outside `min_p` and `top_k` to -inf, in place."""
    if p.min_p:
        # A probability is at least min_p of the greatest one.
        least = logits.max() + max(p.temperature, 1e-4) * math.log(p.min_p)
        logits[logits < least] = -np.inf
    if 0 < p.top_k < len(logits):
        logits[logits < np.partition(logits, -p.top_k)[-p.top_k]] = -np.inf


def _find_nucleus(logits: Floats, p: SamplingParams, memory: Tensor) -> Ids:
    """Return the ids of the likeliest tokens, up to `top_p`; of equal ones, all."""
    if p.top_p == 1:
        return np.arange(len(logits))
    torch.div(torch.from_numpy(logits), max(p.temperature, 1e-4), out=memory[0])
    # numpy's exponential is slower.
    probabilities = torch.softmax(memory[0], dim=0, out=memory[1]).numpy()
    for least in _LEAST:
        # Sorting all 49,152 tokens of SmolLM2 takes 26 ms.
        likely = np.flatnonzero(probabilities > least)
        ordered = np.sort(probabilities[likely])[::-1]
        if ordered.sum() >= p.top_p:
            break
    before = ordered.cumsum() - ordered
    smallest = ordered[np.count_nonzero(before < p.top_p) - 1]
    nucleus: Ids = likely[probabilities[likely] >= smallest]
    return nucleus
