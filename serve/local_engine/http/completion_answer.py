"""Answers to requests for plain completions."""

from collections.abc import Sequence
from typing import Any

from serve.local_engine.http.answer import Answer
from serve.local_engine.http.token_logprobs import make_completion_logprobs
from serve.local_engine.request.completion import CompletionRequest
from serve.local_engine.scheduling.job import TextChunk
from serve.local_engine.scheduling.token_score import TokenScore


class CompletionAnswer(Answer[CompletionRequest]):
    """A plain completion; with `echo` each choice starts with its prompt."""

    prefix, kind, chunk_kind = "cmpl", "text_completion", "text_completion"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        # Of the choices of a stream that have begun: the length of their scored tokens' texts.
        self._offsets: dict[int, int] = {}

    def make_choice(self, chunks: Sequence[TextChunk]) -> dict[str, Any]:
        """Make a choice of a whole answer from all its chunks."""
        index, body = chunks[0].index, self.body
        job_index = index // body.n
        job, given = self.jobs[job_index], body.prompt[job_index]
        # Without room for a token, the one that was made all the same is not shown.
        shown = chunks if body.max_tokens else []
        new = tokens = [chunk.token for chunk in shown]
        scores: list[TokenScore | None] = [chunk.score for chunk in shown]
        text = "".join(chunk.text for chunk in shown)
        if body.echo and index not in self._offsets:
            tokens, scores = [*job.prompt, *new], [None, *job.prompt_scores, *scores]
            text = (given if isinstance(given, str) else self.model.decode(given)) + text
        offset, logprobs = self._offsets.get(index, 0), None
        if body.logprobs is not None:
            decode = self.model.decode_token
            logprobs = make_completion_logprobs(tokens, scores, decode, offset)
            offset += sum(map(len, logprobs["tokens"]))
        self._offsets[index] = offset
        return {
            "index": index,
            "text": text,
            "logprobs": logprobs,
            "finish_reason": chunks[-1].finish_reason,
            **(
                {"prompt_token_ids": job.prompt, "token_ids": new} if body.return_token_ids else {}
            ),
        }

    def make_new_choice(self, chunks: Sequence[TextChunk]) -> dict[str, Any] | None:
        """Make a choice of a stream's event from its new chunks; None if nothing is to be sent."""
        choice = self.make_choice(chunks)
        shown = choice["text"] or choice["finish_reason"] or choice["logprobs"]
        return choice if shown or self.body.return_token_ids else None
