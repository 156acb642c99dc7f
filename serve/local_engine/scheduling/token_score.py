"""The log-probabilities of tokens, as requests ask for them."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True)
class TokenScore:
    """A token, how likely the model finds it, and the likeliest tokens in its place.

    Log-probabilities are natural logarithms over the whole vocabulary, before penalties and
    temperature; under a constraint, over the tokens that it allows.

    Attributes:
        likeliest: Ids and log-probabilities, the likeliest first.
    """

    token: int
    logprob: float
    likeliest: tuple[tuple[int, float], ...]


def score_tokens(logits: Tensor, tokens: Sequence[int], count: int) -> list[TokenScore]:
    """Score one token in each row.

    Args:
        logits: Shaped (rows, vocabulary).
        count: How many of the likeliest tokens to list.
    """
    logprobs = logits.log_softmax(dim=-1)
    values, ids = logprobs.topk(count)
    own = logprobs.gather(1, logits.new_tensor(tokens).long()[:, None])[:, 0].tolist()
    tops = [
        tuple(zip(*each, strict=True)) for each in zip(ids.tolist(), values.tolist(), strict=True)
    ]
    return [TokenScore(*each) for each in zip(tokens, own, tops, strict=True)]
