"""Continuous batching: one thread advances all running sequences by a token at a time."""

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from itertools import takewhile
from random import Random

import torch
from tokenizers.decoders import DecodeStream
from torch import Tensor

from serve.local_engine.job import ChunkSink, Finish, GenerationJob, TextChunk
from serve.local_engine.metrics import Metrics
from serve.local_engine.model import LocalModel
from serve.local_engine.sampling import draw
from serve.local_engine.stop_filter import StopFilter

logger = logging.getLogger("serve")

_FRAME = 0.04
"""Seconds between two deliveries, but for first and last tokens: the event loop shares this
process's lock, and a call for each token of eight streams took an eighth of a step."""


class _Sequence:
    """One choice of a job, in a row of the cache."""

    def __init__(self, job: GenerationJob, index: int, model: LocalModel) -> None:
        self.job, self.name, self._index, self._model = job, job.request.model, index, model
        self.made: list[int] = []
        self.finish: Finish | None = None
        self.matcher = job.matcher.deep_copy() if job.matcher else None
        self._random = Random(job.seed + index)  # noqa: S311 - dice, not secrets
        self._decoder = DecodeStream(skip_special_tokens=True)
        self._filter = StopFilter(job.request.stop)

    @property
    def length(self) -> int:
        """How many tokens are in the cache; the last one drawn is not yet there."""
        return len(self.job.prompt) + max(len(self.made) - 1, 0)

    def chance(self) -> float:
        """Throw this sequence's own dice; a greedy one takes the first of equals."""
        return self._random.random() if self.job.request.temperature else 0.0

    def take(self, token: int) -> TextChunk:
        """Add a token and say what it means."""
        self.made.append(token)
        text, ended = "", token in self._model.ends
        if not ended:
            text = self._decoder.step(self._model.core, token) or ""
            text = self._filter.feed(text)
            ended = self._filter.stopped
        if self.matcher is not None:
            ended = not self.matcher.consume_token(token) or self.matcher.is_stopped() or ended
        if ended or len(self.made) == self.job.max_tokens:
            self.finish = "stop" if ended else "length"
            text += self._filter.close()
        return TextChunk(self._index, token, text, self.finish)


class Scheduler:
    """Owns the model and its thread. Jobs run in the order they came, a row for each choice.

    Args:
        send: Takes what was made for jobs, in order; called in the scheduler's thread.

    Attributes:
        failure: Why nothing can be generated any more; None while it can.
    """

    def __init__(self, model: LocalModel, rows: int, send: ChunkSink) -> None:
        self.model, self.rows, self._send = model, rows, send
        self.waiting: deque[GenerationJob] = deque()
        self.running: list[_Sequence] = []
        self.failure: Exception | None = None
        self.metrics = Metrics(lambda: len(self.running), lambda: len(self.waiting))
        # What each row holds, also after its sequence has left: a model's name and tokens.
        self._held: list[tuple[str, list[int]]] = [("", [])] * rows
        self._ready: list[tuple[GenerationJob, TextChunk | Exception]] = []
        self._delivered = 0.0
        self._closed = False
        self._wake = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="scheduler", daemon=True)
        self._thread.start()

    def submit(self, job: GenerationJob) -> None:
        """Queue a job."""
        with self._wake:
            self.waiting.append(job)
            self._wake.notify()

    def close(self) -> None:
        """Stop after the current token, and tell those who wait for more."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()
        self._abandon(self.failure or RuntimeError("closed"))

    def _abandon(self, error: Exception) -> None:
        jobs = {sequence.job for sequence in self.running} | {*self.waiting}
        self.running.clear()
        self.waiting.clear()
        self._deliver([(job, error) for job in jobs], at_once=True)

    @torch.inference_mode()
    def _work(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self.waiting or self.running or self._closed)
                if self._closed:
                    return
            try:
                self._join()
                self._leave()
                self._step()
            except Exception as error:
                logger.exception("generation failed")
                self._recover(error)

    def _recover(self, error: Exception) -> None:
        """Give up what was running, and find out whether the model still answers."""
        jobs = {sequence.job for sequence in self.running}
        self.running.clear()
        self._held = [("", [])] * self.rows
        try:
            self.model.forward([[0]], 0, [0], self.model.names[:1])
        except Exception as lasting:  # noqa: BLE001 - told by health, and the server ends by it
            self.failure, self._closed = lasting, True
        self._deliver([(job, error) for job in jobs], at_once=True)

    def _join(self) -> None:
        """Read one waiting job's prompt, if there is room for all its choices."""
        job = self.waiting[0] if self.waiting else None
        if job is None or len(self.running) + job.request.n > self.rows:
            return
        self.waiting.popleft()
        if job.cancelled:
            return
        name, first, end = job.request.model, len(self.running), len(job.prompt)
        new = [_Sequence(job, index, self.model) for index in range(job.request.n)]
        known = self._reuse(name, job.prompt, first)
        self.running += new
        logits = self.model.forward([job.prompt[known:]], first, [known], [name])
        for row in range(first, len(self.running)):
            self._held[row] = name, job.prompt
            if row > first:
                self.model.cache.copy(first, row, end)
        self.metrics.read.labels(name).inc(end)
        self.metrics.reused.labels(name).inc(known)
        self._advance(new, logits.repeat(len(new), 1))
        self.metrics.first.labels(name).observe(time.monotonic() - job.started)

    def _reuse(self, name: str, prompt: list[int], row: int) -> int:
        """Fill a row with the longest beginning of a prompt that any row holds; say how long."""

        def measure(held: tuple[str, list[int]]) -> int:
            # The last token is read in any case: its logits are what is wanted.
            pairs = zip(prompt[:-1], held[1], strict=False) if held[0] == name else ()
            return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

        known = [measure(held) for held in self._held]
        best = known.index(max(known))
        if known[best] and best != row:
            self.model.cache.copy(best, row, known[best])
        return known[best]

    def _leave(self) -> None:
        """Free the rows of finished and cancelled sequences; the last row fills the gap."""
        for row in reversed(range(len(self.running))):
            gone = self.running[row]
            if gone.finish or gone.job.cancelled:
                self._held[row] = gone.name, (gone.job.prompt + gone.made)[: gone.length]
                last = self.running.pop()
                if last is not gone:
                    self.model.cache.copy(len(self.running), row, last.length)
                    self._held[row] = last.name, last.job.prompt
                    self.running[row] = last
                self._count(gone)

    def _count(self, gone: _Sequence) -> None:
        self.metrics.ended.labels(gone.name, gone.finish or "abort").inc()
        self.metrics.whole.labels(gone.name).observe(time.monotonic() - gone.job.started)

    def _step(self) -> None:
        """Advance every running sequence by a token."""
        if rows := self.running:
            last = [[row.made[-1]] for row in rows]
            starts = [row.length for row in rows]
            self._advance(rows, self.model.forward(last, 0, starts, [row.name for row in rows]))

    def _advance(self, rows: list[_Sequence], logits: Tensor) -> None:
        for row, scores in zip(rows, logits, strict=True):
            if row.matcher is not None:
                self.model.mask(row.matcher, scores)
        hows, chances = [row.job.request for row in rows], [row.chance() for row in rows]
        tokens = draw(logits, [row.made for row in rows], hows, chances)
        pieces = [(row.job, row.take(token)) for row, token in zip(rows, tokens, strict=True)]
        self._deliver(pieces, at_once=any(len(row.made) == 1 or row.finish for row in rows))
        for name, count in Counter(row.name for row in rows).items():
            self.metrics.made.labels(name).inc(count)

    def _deliver(
        self, items: Sequence[tuple[GenerationJob, TextChunk | Exception]], *, at_once: bool
    ) -> None:
        self._ready += items
        if at_once or time.monotonic() > self._delivered + _FRAME:
            self._send(self._ready)
            self._ready, self._delivered = [], time.monotonic()
