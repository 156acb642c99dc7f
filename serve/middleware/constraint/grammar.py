"""Constraints as grammars of llguidance, compiled within bounds of work."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llguidance import LLMatcher, LLTokenizer


def make_grammar(kind: str, value: Any, *, any_whitespace: bool = True) -> str:
    """Write a constraint as a grammar of llguidance.

    Args:
        kind: The name of its field in `structured_outputs`.
        any_whitespace: Whether JSON may have any whitespace between its parts.

    Raises:
        ValueError: a grammar or a JSON schema cannot be read.
    """
    from llguidance import LLMatcher, grammar_from

    if kind == "regex":
        return LLMatcher.grammar_from_regex(value)
    if kind == "grammar":
        return grammar_from("grammar", value)
    if kind == "choice":
        return grammar_from("choice", json.dumps(value, ensure_ascii=False))
    schema = {"type": "object"} if kind == "json_object" else value
    return LLMatcher.grammar_from_json_schema(
        schema, defaults={"whitespace_flexible": any_whitespace}
    )


def compile_grammar(tokenizer: "LLTokenizer", grammar: str) -> "LLMatcher":
    """Make a matcher that keeps a completion to a grammar.

    llguidance does not hold the interpreter's lock meanwhile. The first token is tried here too,
    because a pattern that is too large mostly shows it there.

    Raises:
        ValueError: the grammar is invalid or too large.
    """
    from llguidance import LLMatcher, LLParserLimits

    # Bounds of work, in llguidance's units: whether a pattern is refused does not depend on the
    # load of the machine. With llguidance's own limits, the 15 characters of (a{1000}){1000} took
    # up to 3 s and 245 MB.
    limits = LLParserLimits(
        initial_lexer_fuel=200_000,
        step_lexer_fuel=100_000,
        max_lexer_states=20_000,  # of 1 to 2 kB each
        verbose_errors=False,
    )
    matcher = LLMatcher(tokenizer, grammar, log_level=0, limits=limits)
    tried = matcher.deep_copy()
    if not matcher.is_error():
        allowed = tried.compute_bitmask()
        first = next((place for place, bits in enumerate(allowed) if bits), 0)
        tried.consume_token(8 * first + (allowed[first] & -allowed[first]).bit_length() - 1)
    if tried.is_error():
        raise ValueError(describe_error(tried))
    return matcher


def describe_error(matcher: "LLMatcher") -> str:
    """Return why a matcher cannot go on."""
    return matcher.get_error().splitlines()[0]
