"""Continuous batching: one thread advances all running sequences by one token at a time."""

import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from itertools import takewhile
from random import Random

import torch
from tokenizers.decoders import DecodeStream
from torch import Tensor

from serve.local_engine.model import LocalModel
from serve.local_engine.scheduling.job import ChunkSink, FinishReason, GenerationJob, TextChunk
from serve.local_engine.scheduling.metrics import Metrics
from serve.local_engine.scheduling.sampling import sample
from serve.local_engine.scheduling.stop_filter import StopFilter
from serve.logs import logger

_DELIVERY_INTERVAL = 0.04
"""Seconds between two deliveries; first and last tokens are delivered at once.

The event loop shares the interpreter's lock with the scheduler's thread. A call for each token of
eight streams took an eighth of a step.
"""


class _Sequence:
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
        self._random = Random(job.seed + index)  # noqa: S311 - for sampling, not for secrets
        self._decoder = DecodeStream(skip_special_tokens=True)
        self._stop_filter = StopFilter(job.request.stop)

    @property
    def cached_length(self) -> int:
        """The number of tokens in the cache, which does not have the last generated one yet."""
        return len(self.job.prompt) + max(len(self.generated) - 1, 0)

    def next_random(self) -> float:
        """Return the next random number of this sequence's own generator; 0 if it is greedy."""
        return self._random.random() if self.job.request.temperature else 0.0

    def append(self, token: int) -> TextChunk:
        """Add a generated token, and make its chunk."""
        self.generated.append(token)
        text, ended = "", token in self._model.end_tokens
        if not ended:
            text = self._decoder.step(self._model.backend_tokenizer, token) or ""
            text = self._stop_filter.feed(text)
            ended = self._stop_filter.stopped
        if self.matcher is not None:
            ended = not self.matcher.consume_token(token) or self.matcher.is_stopped() or ended
        if ended or len(self.generated) == self.job.max_tokens:
            self.finish_reason = "stop" if ended else "length"
            text += self._stop_filter.close()
        return TextChunk(self._index, token, text, self.finish_reason)


class Scheduler:
    """The owner of the model and its thread. Jobs start in order of arrival, a row per choice.

    Args:
        rows: Sequences that run at once.
        send: Called in the scheduler's thread.

    Attributes:
        failure: Why the engine cannot generate anything any more; None while it can.
    """

    def __init__(self, model: LocalModel, rows: int, send: ChunkSink) -> None:
        self.model, self.rows, self._send = model, rows, send
        self.waiting: deque[GenerationJob] = deque()
        self.running: list[_Sequence] = []
        self.failure: Exception | None = None
        self.metrics = Metrics(lambda: len(self.running), lambda: len(self.waiting))
        # The model's name and the tokens of each row; kept after its sequence has ended.
        self._row_contents: list[tuple[str, list[int]]] = [("", [])] * rows
        self._undelivered: list[tuple[GenerationJob, TextChunk | Exception]] = []
        self._last_delivery_at = 0.0
        self._closed = False
        self._work_arrived = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)
        self._thread.start()

    def submit(self, job: GenerationJob) -> None:
        """Queue a job."""
        with self._work_arrived:
            self.waiting.append(job)
            self._work_arrived.notify()

    def close(self) -> None:
        """Stop after the current token; jobs that are not finished get an exception."""
        with self._work_arrived:
            self._closed = True
            self._work_arrived.notify()
        self._thread.join()
        jobs = {sequence.job for sequence in self.running} | {*self.waiting}
        self.running.clear()
        self.waiting.clear()
        error = self.failure or RuntimeError("closed")
        self._deliver([(job, error) for job in jobs], at_once=True)

    @torch.inference_mode()
    def _run(self) -> None:
        while True:
            with self._work_arrived:
                self._work_arrived.wait_for(lambda: self.waiting or self.running or self._closed)
                if self._closed:
                    return
            try:
                self._start_next_job()
                self._remove_ended()
                self._step()
            except Exception as error:  # noqa: BLE001 - the jobs get it, and the log
                logger.exception("generation failed")
                self._recover(error)

    def _recover(self, error: Exception) -> None:
        """Fail the running jobs, and find out whether the model still works."""
        jobs = {sequence.job for sequence in self.running}
        self.running.clear()
        self._row_contents = [("", [])] * self.rows
        try:
            self.model.forward([[0]], 0, [0], self.model.names[:1])
        except Exception as lasting:  # noqa: BLE001 - health reports it, and the server ends
            self.failure, self._closed = lasting, True
        self._deliver([(job, error) for job in jobs], at_once=True)

    def _start_next_job(self) -> None:
        """Read the prompt of the first waiting job, if there are rows for all its choices."""
        job = self.waiting[0] if self.waiting else None
        if job is None or len(self.running) + job.request.n > self.rows:
            return
        self.waiting.popleft()
        if job.cancelled:
            return
        name, first_row, length = job.request.model, len(self.running), len(job.prompt)
        new = [_Sequence(job, index, self.model) for index in range(job.request.n)]
        reused = self._reuse_prefix(name, job.prompt, first_row)
        self.running += new
        logits = self.model.forward([job.prompt[reused:]], first_row, [reused], [name])
        for row in range(first_row, len(self.running)):
            self._row_contents[row] = name, job.prompt
            if row > first_row:
                self.model.cache.copy_row(first_row, row, length)
        self.metrics.prompt_tokens.labels(name).inc(length)
        self.metrics.reused_tokens.labels(name).inc(reused)
        self._advance(new, logits.repeat(len(new), 1))
        self.metrics.first_token_seconds.labels(name).observe(time.monotonic() - job.started_at)

    def _reuse_prefix(self, name: str, prompt: list[int], row: int) -> int:
        """Fill a row with the longest prefix of a prompt that any row has; return its length."""

        def measure(contents: tuple[str, list[int]]) -> int:
            # The last token is always read again, because its logits are needed.
            pairs = zip(prompt[:-1], contents[1], strict=False) if contents[0] == name else ()
            return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

        lengths = [measure(contents) for contents in self._row_contents]
        best = lengths.index(max(lengths))
        if lengths[best] and best != row:
            self.model.cache.copy_row(best, row, lengths[best])
        return lengths[best]

    def _remove_ended(self) -> None:
        """Free the rows of finished and cancelled sequences; the last row fills the gap."""
        for row in reversed(range(len(self.running))):
            ended = self.running[row]
            if ended.finish_reason or ended.job.cancelled:
                tokens = (ended.job.prompt + ended.generated)[: ended.cached_length]
                self._row_contents[row] = ended.name, tokens
                last = self.running.pop()
                if last is not ended:
                    self.model.cache.copy_row(len(self.running), row, last.cached_length)
                    self._row_contents[row] = last.name, last.job.prompt
                    self.running[row] = last
                seconds = time.monotonic() - ended.job.started_at
                self.metrics.finished.labels(ended.name, ended.finish_reason or "abort").inc()
                self.metrics.total_seconds.labels(ended.name).observe(seconds)

    def _step(self) -> None:
        """Advance every running sequence by a token."""
        if sequences := self.running:
            last = [[sequence.generated[-1]] for sequence in sequences]
            starts = [sequence.cached_length for sequence in sequences]
            names = [sequence.name for sequence in sequences]
            self._advance(sequences, self.model.forward(last, 0, starts, names))

    def _advance(self, sequences: list[_Sequence], logits: Tensor) -> None:
        for sequence, row in zip(sequences, logits, strict=True):
            if sequence.matcher is not None:
                self.model.mask_logits(sequence.matcher, row)
        tokens = sample(
            logits,
            [sequence.generated for sequence in sequences],
            [sequence.job.request for sequence in sequences],
            [sequence.next_random() for sequence in sequences],
        )
        chunks = [(s.job, s.append(token)) for s, token in zip(sequences, tokens, strict=True)]
        at_once = any(len(s.generated) == 1 or s.finish_reason for s in sequences)
        self._deliver(chunks, at_once=at_once)
        for name, count in Counter(s.name for s in sequences).items():
            self.metrics.generated_tokens.labels(name).inc(count)

    def _deliver(
        self, items: Sequence[tuple[GenerationJob, TextChunk | Exception]], *, at_once: bool
    ) -> None:
        self._undelivered += items
        if at_once or time.monotonic() > self._last_delivery_at + _DELIVERY_INTERVAL:
            self._send(self._undelivered)
            self._undelivered, self._last_delivery_at = [], time.monotonic()
