"""One choice of a job while it runs: its tokens so far, and the text they make."""

from tokenizers.decoders import DecodeStream

from serve.local_engine.model import LocalModel
from serve.local_engine.scheduling.job import FinishReason, GenerationJob, TextChunk
from serve.local_engine.scheduling.sampling import RandomStream, SampledRow
from serve.local_engine.scheduling.stop_filter import StopFilter
from serve.local_engine.scheduling.token_score import TokenScore


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
        self._end_tokens = {*job.request.stop_token_ids}
        if not job.request.ignore_eos:
            self._end_tokens |= model.end_tokens

    @property
    def cached_length(self) -> int:
        """The number of tokens in the cache, which does not have the last generated one yet."""
        return len(self.job.prompt) + max(len(self.generated) - 1, 0)

    def prepare_sampling(self, vocabulary_size: int) -> SampledRow:
        """Draw the next random numbers, and return what the next token depends on."""
        params = self.job.request
        draws = self._random.draw(vocabulary_size) if params.temperature else None
        return SampledRow(params, self.job.prompt, self.generated, self._end_tokens, draws)

    def append(self, token: int, score: TokenScore | None) -> TextChunk:
        """Add a generated token, and make its chunk."""
        self.generated.append(token)
        text, ended = "", token in self._end_tokens
        if not ended:
            text = self._decoder.step(self._model.backend_tokenizer, token) or ""
            if len(self.generated) > self.job.request.min_tokens:
                text = self._stop_filter.feed(text)
                ended = self._stop_filter.stopped
        if self.matcher is not None:
            self.matcher.consume_token(token)
            # A matcher with an error counts as stopped; the scheduler then refuses the job.
            ended = ended or (self.matcher.is_stopped() and not self.matcher.is_error())
        if ended or len(self.generated) == self.job.max_tokens:
            self.finish_reason = "stop" if ended else "length"
            text += self._stop_filter.close()
        index = self.job.first_index + self._index
        return TextChunk(index, token, text, self.finish_reason, score)
