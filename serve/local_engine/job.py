"""A request on its way through the engine, and what comes back."""

import time
import uuid
from asyncio import Queue
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from serve.local_engine.request import ChatRequest

if TYPE_CHECKING:
    from llguidance import LLMatcher

Finish = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class TextChunk:
    """One more token of a choice: the text that it makes sendable, and why it is the last."""

    index: int
    token: int
    text: str
    finish: Finish | None


@dataclass(eq=False, slots=True)
class GenerationJob:
    """A request in tokens.

    Attributes:
        cancelled: Set it, in any thread, and the job leaves before the next token.
        results: For the event loop: the pieces so far, None when the client has left.
        made: Tokens taken from the results, of all choices together.
    """

    request: ChatRequest
    prompt: list[int]
    max_tokens: int
    seed: int
    matcher: "LLMatcher | None"
    cancelled: bool = False
    made: int = 0
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))
    started: float = field(default_factory=time.monotonic)
    results: "Queue[TextChunk | Exception | None]" = field(default_factory=Queue)


ChunkSink = Callable[[list[tuple[GenerationJob, TextChunk | Exception]]], None]
