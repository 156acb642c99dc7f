"""An estimate of the number of tokens in a text, for code without a tokenizer."""

CHARACTERS_PER_TOKEN = 4
"""Of English text, about, with vocabularies like Llama 3's."""


def estimate_tokens(text: str | bytes) -> int:
    """Estimate the number of tokens in a streamed chunk, at least one.

    A chunk can have about twelve: servers send several tokens at once (vLLM's --stream-interval,
    the frames of the local engine).
    """
    return max(1, round(len(text) / CHARACTERS_PER_TOKEN))
