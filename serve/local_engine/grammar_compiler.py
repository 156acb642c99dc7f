"""Constraints on a completion, compiled for one tokenizer and applied to logits."""

from typing import Any

import torch
from llguidance import LLMatcher, LLTokenizer
from llguidance.hf import from_tokenizer
from torch import Tensor

from serve.middleware.constraint.grammar import compile_grammar


class GrammarCompiler:
    """Makes matchers for one tokenizer.

    Args:
        tokenizer: transformers' tokenizer.
        vocabulary_size: The number of the model's logits.
        end_tokens: The ids that end a completion.
    """

    def __init__(self, tokenizer: Any, vocabulary_size: int, end_tokens: set[int]) -> None:
        self._tokenizer: LLTokenizer = from_tokenizer(
            tokenizer, vocabulary_size, eos_token=sorted(end_tokens)
        )

    def decode_token(self, token: int) -> bytes:
        """Return the exact bytes of a token, which can be a part of a character."""
        return self._tokenizer.decode_bytes([token])

    def compile(self, grammar: str) -> LLMatcher:
        """Make a matcher that keeps a completion to a grammar of llguidance.

        Raises:
            ValueError: the grammar is invalid or too large.
        """
        return compile_grammar(self._tokenizer, grammar)


def mask_logits(matcher: LLMatcher, logits: Tensor) -> None:
    """Set the logits of tokens that a matcher does not allow next to -inf, in place."""
    allowed = _unpack(matcher.compute_bitmask())[: len(logits)]
    logits.masked_fill_(~allowed.to(logits.device), -torch.inf)


def _unpack(bitmask: bytes) -> Tensor:
    packed = torch.frombuffer(bytearray(bitmask), dtype=torch.uint8)
    return (packed[:, None] >> torch.arange(8) & 1).flatten().bool()
