"""The body of a request for a plain completion, which has no chat template."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from serve.local_engine.request.generation import MAX_LOGPROBS, GenerationRequest
from serve.local_engine.request.sampling import TokenId

_MAX_PROMPTS = 128

_Ids = Annotated[list[TokenId], Field(fail_fast=True)]


def _list_prompts(value: Any) -> Any:
    one = isinstance(value, str) or (isinstance(value, list) and value and type(value[0]) is int)
    return [value] if one else value


_Prompts = Annotated[list[str] | list[_Ids], BeforeValidator(_list_prompts)]


class CompletionRequest(GenerationRequest):
    """The body of POST /v1/completions.

    A request can have several prompts, each a text or token ids. With `echo` an answer starts with
    its prompt; `max_tokens` 0 then only scores it.
    """

    prompt: _Prompts = Field(min_length=1, max_length=_MAX_PROMPTS)
    max_tokens: int = Field(default=16, ge=0)
    echo: bool = False
    logprobs: int | None = Field(default=None, ge=0, le=MAX_LOGPROBS)
    add_special_tokens: bool = True

    @property
    def logprobs_count(self) -> int | None:
        """How many of the likeliest tokens to list beside each token; None for no scores."""
        return self.logprobs
