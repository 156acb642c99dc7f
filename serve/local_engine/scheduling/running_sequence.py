"""One choice of a job while it runs: its tokens so far, and the text they make."""

from tokenizers.decoders import DecodeStream
from torch import Tensor

from serve.local_engine.model import LocalModel
from serve.local_engine.scheduling.job import FinishReason, GenerationJob, TextChunk
from serve.local_engine.scheduling.sampling import RandomStream
from serve.local_engine.scheduling.stop_filter import StopFilter


class RunningSequence:
    """One choice of a job, in a row of the cache.

    Attributes:
        name: The model's name.
        generated: The generated token ids.
    """

    def __init__(self, job: GenerationJob, index: int, model: LocalModel) -> None:
        self.job, self.name, self._index, self._model = job, job.request.model, index, model
        self.generated: list[int] = []
        self.finish_reason: FinishReason | None = None
        self.matcher = job.matcher.deep_copy() if job.matcher else None
        self._random = RandomStream(job.seed, index)
        self._decoder = DecodeStream(skip_special_tokens=True)
        self._stop_filter = StopFilter(job.request.stop)

    @property
    def cached_length(self) -> int:
        """The number of tokens in the cache, which does not have the last generated one yet."""
        return len(self.job.prompt) + max(len(self.generated) - 1, 0)

    def draw(self, count: int) -> Tensor | None:
        """Return this sequence's next random numbers, one a token; None if it is greedy."""
        return self._random.draw(count) if self.job.request.temperature else None

    def append(self, token: int) -> TextChunk:
        """Add a generated token, and make its chunk."""
        self.generated.append(token)
        text, ended = "", token in self._model.end_tokens
        if not ended:
            text = self._decoder.step(self._model.backend_tokenizer, token) or ""
            text = self._stop_filter.feed(text)
            ended = self._stop_filter.stopped
        if self.matcher is not None:
            self.matcher.consume_token(token)
            # A matcher with an error counts as stopped; the scheduler then refuses the job.
            ended = ended or (self.matcher.is_stopped() and not self.matcher.is_error())
        if ended or len(self.generated) == self.job.max_tokens:
            self.finish_reason = "stop" if ended else "length"
            text += self._stop_filter.close()
        return TextChunk(self._index, token, text, self.finish_reason)
