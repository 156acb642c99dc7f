"""Log-probabilities of tokens in OpenAI's two shapes, as vLLM writes them."""

from collections.abc import Callable, Sequence
from typing import Any

from serve.local_engine.scheduling.token_score import TokenScore

DecodeToken = Callable[[int], bytes]

_LEAST = -9999.0
"""What stands for minus infinity, which JSON does not have."""


def make_chat_logprobs(scores: Sequence[TokenScore], decode: DecodeToken) -> dict[str, Any]:
    """Make the `logprobs` of a chat completion; `bytes` are exact, also in parts of characters."""

    def describe(token: int, logprob: float) -> dict[str, Any]:
        exact = decode(token)
        text = exact.decode(errors="replace")
        return {"token": text, "logprob": max(logprob, _LEAST), "bytes": list(exact)}

    content = [
        {
            **describe(score.token, score.logprob),
            "top_logprobs": [describe(*each) for each in score.likeliest],
        }
        for score in scores
    ]
    return {"content": content}


def make_completion_logprobs(
    tokens: Sequence[int],
    scores: Sequence[TokenScore | None],
    decode: DecodeToken,
    first_offset: int = 0,
) -> dict[str, Any]:
    """Make the `logprobs` of a plain completion.

    Args:
        scores: None for the first token of a prompt, which nothing precedes.
        first_offset: Where the first token starts in the text.
    """
    texts = [decode(token).decode(errors="replace") for token in tokens]
    ends = [first_offset]
    for text in texts:
        ends.append(ends[-1] + len(text))
    return {
        "tokens": texts,
        "token_logprobs": [score and max(score.logprob, _LEAST) for score in scores],
        "top_logprobs": [score and _name_likeliest(score, decode) for score in scores],
        "text_offset": ends[:-1],
    }


def _name_likeliest(score: TokenScore, decode: DecodeToken) -> dict[str, float]:
    # The token itself is always among them. Of tokens with one text the likeliest stays.
    named: dict[str, float] = {}
    for token, logprob in ((score.token, score.logprob), *score.likeliest):
        text = decode(token).decode(errors="replace")
        named[text] = max(logprob, _LEAST, named.get(text, _LEAST))
    return named
