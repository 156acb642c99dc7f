"""Bits a byte: a held-out loss that compares across tokenizers.

A loss in nats a token depends on how much text a token is. Summed over the tokens and divided by
the bytes of the same text, it does not: nats * tokens / bytes / ln 2.
"""

from collections.abc import Iterable, Mapping
from math import log


def count_bytes(texts: Iterable[str]) -> int:
    """Return the bytes of texts in UTF-8."""
    return sum(len(text.encode()) for text in texts)


def to_bits_per_byte(nats: float, tokens: int, text_bytes: int) -> float:
    """Convert a mean loss.

    Args:
        nats: The mean loss of a token.
        tokens: How many tokens the mean is over, the end of each completion included.
        text_bytes: The bytes of the texts that these tokens encode.
    """
    return nats * tokens / text_bytes / log(2)


def describe_loss(metrics: Mapping[str, float], prefix: str = "") -> str:
    """Return a manifest's held-out loss as text, with bits a byte if they were measured.

    Args:
        metrics: The metrics of a manifest.
        prefix: `base_` for the loss without the adapter.
    """
    nats = f"{metrics[f'{prefix}eval_loss']:.3f}"
    bits = metrics.get(f"{prefix}eval_bits_per_byte")
    return nats if bits is None else f"{nats} ({bits:.3f} bits a byte)"
