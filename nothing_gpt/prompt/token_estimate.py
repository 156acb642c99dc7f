"""How many tokens a text has, about, where no tokenizer is at hand."""

CHARACTERS_PER_TOKEN = 4
"""Of a token of English, about, by vocabularies like Llama 3's."""


def estimate_tokens(piece: str | bytes) -> int:
    """Estimate the tokens of a streamed piece, one at least.

    It may hold twelve: servers send them in handfuls (vLLM's --stream-interval, the local
    engine's frames).
    """
    return max(1, round(len(piece) / CHARACTERS_PER_TOKEN))
