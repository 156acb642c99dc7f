"""A request on its way through the local engine, and the chunks of its result."""

import time
from asyncio import Queue
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from serve.local_engine.request.generation import GenerationRequest
from serve.local_engine.scheduling.token_score import TokenScore

if TYPE_CHECKING:
    from llguidance import LLMatcher

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class TextChunk:
    """One token of a choice.

    Attributes:
        index: The choice's number.
        token: The token's id.
        text: The text that can be sent now. It can be shorter or longer than the token's own text,
            because incomplete characters and possible stop strings are held back.
        finish_reason: Why the choice ends with this token; None if it goes on.
        score: The token's score, if the request asks for it.
    """

    index: int
    token: int
    text: str
    finish_reason: FinishReason | None
    score: TokenScore | None = None


@dataclass(eq=False, slots=True)
class GenerationJob:
    """One prompt of a request, and what becomes of it.

    Attributes:
        prompt: Token ids.
        results: Read by the event loop: chunks, an exception if the engine fails, None if the
            client has disconnected. All jobs of a request share it.
        key: The name of the client's API key; None if the server has no keys.
        first_index: The index of its first choice among all choices of the request.
        scores_prompt: Whether to score the prompt's tokens too.
        started: Choices that have got a row so far.
        cancelled: Set to True, in any thread, to stop the job before its next token.
        prompt_scores: The scores of the prompt's tokens but the first, complete before the first
            chunk is delivered.
        started_at: By the monotonic clock.
    """

    request: GenerationRequest
    prompt: list[int]
    max_tokens: int
    seed: int
    matcher: "LLMatcher | None"
    key: str | None = None
    results: "Queue[TextChunk | Exception | None]" = field(default_factory=Queue)
    first_index: int = 0
    scores_prompt: bool = False
    started: int = 0
    cancelled: bool = False
    prompt_scores: list[TokenScore] = field(default_factory=list)
    started_at: float = field(default_factory=time.monotonic)


ChunkSink = Callable[[list[tuple[GenerationJob, TextChunk | Exception]]], None]
"""Receives what was generated for several jobs, in order."""
