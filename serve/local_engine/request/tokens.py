"""The bodies of requests to count tokens, and to turn ids into text."""

from typing import Annotated

from pydantic import Field

from serve.local_engine.request.body import LenientBody
from serve.local_engine.request.chat import PromptOptions
from serve.local_engine.request.sampling import TokenId


class TokenizeText(LenientBody):
    """The body of POST /tokenize with a text."""

    prompt: str
    model: str | None = None
    add_special_tokens: bool = True
    return_token_strs: bool | None = None


class TokenizeChat(PromptOptions):
    """The body of POST /tokenize with messages."""

    model: str | None = None
    return_token_strs: bool | None = None


class DetokenizeRequest(LenientBody):
    """The body of POST /detokenize."""

    tokens: Annotated[list[TokenId], Field(max_length=100_000, fail_fast=True)]
    model: str | None = None
