"""Answers to requests for completions: whole or as a stream, in OpenAI's two shapes."""

import json
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from serve.local_engine.request.generation import GenerationRequest
from serve.local_engine.scheduling.job import GenerationJob, TextChunk
from serve.middleware.refusal import RefusedError

if TYPE_CHECKING:
    from serve.local_engine.model import LocalModel

Body = TypeVar("Body", bound=GenerationRequest)

_encode_json = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps makes one at each call


class Answer(ABC, Generic[Body]):
    """The answer to one request, made from the chunks of its jobs.

    Attributes:
        prefix: What its id starts with.
        kind: Its `object` field.
        chunk_kind: The `object` field of a stream's events.
    """

    prefix: str
    kind: str
    chunk_kind: str

    def __init__(self, body: Body, jobs: Sequence[GenerationJob], model: "LocalModel") -> None:
        self.body, self.jobs, self.model = body, jobs, model
        self._head = {
            "id": f"{self.prefix}-{uuid.uuid4().hex}",
            "created": int(time.time()),
            "model": body.model,
        }
        self._completion_tokens = 0

    @abstractmethod
    def make_choice(self, chunks: Sequence[TextChunk]) -> dict[str, Any]:
        """Make a choice of a whole answer from all its chunks."""

    @abstractmethod
    def make_new_choice(self, chunks: Sequence[TextChunk]) -> dict[str, Any] | None:
        """Make a choice of a stream's event from its new chunks; None if nothing is to be sent."""

    def make_opening(self) -> list[dict[str, Any]]:
        """Make the choices of a stream's first event; without any there is none."""
        return []

    def make_prompt_ids(self) -> dict[str, list[int]]:
        """Make the field of a whole answer with the prompt's token ids, if it is asked for."""
        return {}

    async def collect(self, chunks: AsyncIterator[list[TextChunk]]) -> dict[str, Any]:
        """Put all chunks into one object."""
        by_choice: dict[int, list[TextChunk]] = {}
        async for new in chunks:
            self._completion_tokens += len(new)
            by_choice.setdefault(new[0].index, []).extend(new)
        choices = [self.make_choice(by_choice[index]) for index in sorted(by_choice)]
        more = {"usage": self._make_usage(), **self.make_prompt_ids()}
        return self._make_object(self.kind, choices, **more)

    async def stream(self, chunks: AsyncIterator[list[TextChunk]]) -> AsyncIterator[str]:
        """Yield the events of a stream."""
        options, kind = self.body.stream_options, self.chunk_kind
        if opening := self.make_opening():
            yield _make_event(self._make_object(kind, opening, **self.make_prompt_ids()))
        try:
            async for new in chunks:
                self._completion_tokens += len(new)
                if choice := self.make_new_choice(new):
                    more = {"usage": self._make_usage()} if options.continuous_usage_stats else {}
                    yield _make_event(self._make_object(kind, [choice], **more))
        except RefusedError as refusal:
            yield _make_event(refusal.body)
        if options.include_usage:
            yield _make_event(self._make_object(kind, [], usage=self._make_usage()))
        yield "data: [DONE]\n\n"

    def _make_object(self, kind: str, choices: list[Any], **more: Any) -> dict[str, Any]:
        return {**self._head, "object": kind, "choices": choices, **more}

    def _make_usage(self) -> dict[str, int]:
        prompt = sum(len(job.prompt) for job in self.jobs)
        completion = self._completion_tokens
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        }


def _make_event(data: dict[str, Any]) -> str:
    return f"data: {_encode_json(data)}\n\n"
