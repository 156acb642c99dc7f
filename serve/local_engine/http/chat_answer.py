"""Answers to requests for chat completions."""

from collections.abc import Sequence
from typing import Any

from serve.local_engine.http.answer import Answer
from serve.local_engine.http.token_logprobs import make_chat_logprobs
from serve.local_engine.request.chat import ChatRequest
from serve.local_engine.scheduling.job import TextChunk


class ChatAnswer(Answer[ChatRequest]):
    """A chat completion."""

    prefix, kind, chunk_kind = "chatcmpl", "chat.completion", "chat.completion.chunk"

    def make_choice(self, chunks: Sequence[TextChunk]) -> dict[str, Any]:
        """Make a choice of a whole answer from all its chunks."""
        text = "".join(chunk.text for chunk in chunks)
        message = {"role": "assistant", "content": text, "refusal": None}
        return self._describe(chunks, message=message)

    def make_new_choice(self, chunks: Sequence[TextChunk]) -> dict[str, Any] | None:
        """Make a choice of a stream's event from its new chunks; None if nothing is to be sent."""
        text = "".join(chunk.text for chunk in chunks)
        if not (
            text or chunks[-1].finish_reason or self.body.return_token_ids or self.body.logprobs
        ):
            return None
        return self._describe(chunks, delta={"content": text})

    def make_opening(self) -> list[dict[str, Any]]:
        """Make the choices of a stream's first event."""
        delta = {"role": "assistant", "content": ""}
        rest = {"delta": delta, "logprobs": None, "finish_reason": None}
        return [{"index": index, **rest} for index in range(self.body.n)]

    def make_prompt_ids(self) -> dict[str, list[int]]:
        """Make the field with the prompt's token ids, if it is asked for."""
        return {"prompt_token_ids": self.jobs[0].prompt} if self.body.return_token_ids else {}

    def _describe(self, chunks: Sequence[TextChunk], **content: Any) -> dict[str, Any]:
        last, scores = chunks[-1], [chunk.score for chunk in chunks if chunk.score]
        ids = [chunk.token for chunk in chunks]
        return {
            "index": last.index,
            **content,
            "logprobs": make_chat_logprobs(scores, self.model.decode_token) if scores else None,
            "finish_reason": last.finish_reason,
            **({"token_ids": ids} if self.body.return_token_ids else {}),
        }
