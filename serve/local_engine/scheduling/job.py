"""A request on its way through the local engine, and the chunks of its result."""

import time
import uuid
from asyncio import Queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from serve.local_engine.request import ChatRequest

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
    """

    index: int
    token: int
    text: str
    finish_reason: FinishReason | None


@dataclass(eq=False, slots=True)
class GenerationJob:
    """A request with its prompt as token ids.

    Attributes:
        prompt: Token ids.
        key: The name of the client's API key; None if the server has no keys.
        started: Choices that have got a row so far.
        cancelled: Set to True, in any thread, to stop the job before its next token.
        completion_tokens: Tokens read from `results`, of all choices together.
        started_at: By the monotonic clock.
        results: Read by the event loop: chunks, an exception if the engine fails, None if the
            client has disconnected.
    """

    request: ChatRequest
    prompt: list[int]
    max_tokens: int
    seed: int
    matcher: "LLMatcher | None"
    key: str | None = None
    started: int = 0
    cancelled: bool = False
    completion_tokens: int = 0
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))
    started_at: float = field(default_factory=time.monotonic)
    results: "Queue[TextChunk | Exception | None]" = field(default_factory=Queue)

    def make_object(self, kind: str, choices: list[Any], **more: Any) -> dict[str, Any]:
        """Make an object of OpenAI's API; `kind` is its `object` field."""
        head = {"id": self.id, "object": kind, "created": self.created}
        return {**head, "model": self.request.model, "choices": choices, **more}

    def make_choice(self, chunks: Sequence[TextChunk], **content: Any) -> dict[str, Any]:
        """Make a choice of an object from its new chunks."""
        last = chunks[-1]
        choice = {"index": last.index, "finish_reason": last.finish_reason, **content}
        if self.request.return_token_ids:
            choice["token_ids"] = [chunk.token for chunk in chunks]
        return choice

    def make_usage(self) -> dict[str, int]:
        """Make the token counts so far."""
        prompt, completion = len(self.prompt), self.completion_tokens
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        }

    def make_prompt_ids(self) -> dict[str, list[int]]:
        """Make the field with the prompt's token ids, if the request asks for it."""
        return {"prompt_token_ids": self.prompt} if self.request.return_token_ids else {}


ChunkSink = Callable[[list[tuple[GenerationJob, TextChunk | Exception]]], None]
"""Receives what was generated for several jobs, in order."""
