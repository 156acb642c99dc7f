"""Constraints on a completion, compiled and applied by llguidance within bounds of work."""

from typing import Any

import torch
from llguidance import LLMatcher, LLParserLimits, LLTokenizer
from llguidance.hf import from_tokenizer
from torch import Tensor

# Bounds of work, in llguidance's units: whether a pattern is refused does not depend on the load
# of the machine. With llguidance's own limits, the 15 characters of (a{1000}){1000} took up to 3 s
# and 245 MB.
_LIMITS = LLParserLimits(
    initial_lexer_fuel=200_000,
    step_lexer_fuel=100_000,
    max_lexer_states=20_000,  # of 1 to 2 kB each
    verbose_errors=False,
)


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

        llguidance does not hold the interpreter's lock meanwhile. The first token is tried here
        too, because a pattern that is too large mostly shows it there.

        Raises:
            ValueError: the grammar is invalid or too large.
        """
        matcher = LLMatcher(self._tokenizer, grammar, log_level=0, limits=_LIMITS)
        tried = matcher.deep_copy()
        if not matcher.is_error():
            allowed = _unpack(tried.compute_bitmask()).nonzero()
            tried.consume_token(int(allowed[0]))
        if tried.is_error():
            raise ValueError(describe_error(tried))
        return matcher


def describe_error(matcher: LLMatcher) -> str:
    """Return why a matcher cannot go on."""
    return matcher.get_error().splitlines()[0]


def mask_logits(matcher: LLMatcher, logits: Tensor) -> None:
    """Set the logits of tokens that a matcher does not allow next to -inf, in place."""
    allowed = _unpack(matcher.compute_bitmask())[: len(logits)]
    logits.masked_fill_(~allowed.to(logits.device), -torch.inf)


def _unpack(bitmask: bytes) -> Tensor:
    packed = torch.frombuffer(bytearray(bitmask), dtype=torch.uint8)
    return (packed[:, None] >> torch.arange(8) & 1).flatten().bool()
