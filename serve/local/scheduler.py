"""Continuous batching: one thread advances all running sequences by a token at a time."""

import logging
import threading
import time
from collections import deque
from random import Random

import torch
from tokenizers.decoders import DecodeStream
from torch import Tensor

from serve.local.job import Finish, Job, Piece, Send
from serve.local.model import Model
from serve.local.sampling import draw
from serve.local.text import StopFilter

logger = logging.getLogger("serve")


class _Sequence:
    """One choice of a job, in a row of the cache."""

    def __init__(self, job: Job, index: int, model: Model) -> None:
        self.job, self._index, self._model = job, index, model
        self.length = len(job.prompt)  # in the cache; the last token drawn is not yet there
        self.token = self.made = 0
        self.finish: Finish | None = None
        self.counts = torch.zeros(model.vocabulary, device=model.device)
        self._matcher = job.matcher.deep_copy() if job.matcher else None
        self._random = Random(job.seed + index)  # noqa: S311 - dice, not secrets
        self._decoder = DecodeStream(skip_special_tokens=True)
        self._filter = StopFilter(job.request.stop)

    def chance(self) -> float:
        """Throw this sequence's own dice; a greedy one takes the first of equals."""
        return self._random.random() if self.job.request.temperature else 0.0

    def mask(self, scores: Tensor) -> None:
        """Forbid, in place, the tokens that the grammar does not allow here."""
        if self._matcher is not None:
            packed = torch.frombuffer(
                bytearray(self._matcher.compute_bitmask()), dtype=torch.uint8
            )
            allowed = (packed[:, None] >> torch.arange(8) & 1).flatten()[: len(scores)].bool()
            scores.masked_fill_(~allowed.to(scores.device), -torch.inf)

    def take(self, token: int) -> Piece:
        """Add a token and say what it means."""
        self.token = token
        self.made += 1
        self.counts[token] += 1
        text, ended = "", token in self._model.ends
        if not ended:
            text = self._decoder.step(self._model.tokenizer.backend_tokenizer, token) or ""
            text = self._filter.feed(text)
            ended = self._filter.stopped
        if self._matcher is not None:
            ended = not self._matcher.consume_token(token) or self._matcher.is_stopped() or ended
        if ended or self.made == self.job.max_tokens:
            self.finish = "stop" if ended else "length"
            text += self._filter.close()
        return Piece(self._index, token, text, self.finish)


class Scheduler:
    """Owns the model and its thread. Jobs run in the order they came, a row for each choice.

    Args:
        send: Takes all that a step made for its jobs; called in the scheduler's thread.
    """

    def __init__(self, model: Model, rows: int, send: Send) -> None:
        self.model, self.rows, self._send = model, rows, send
        self.waiting: deque[Job] = deque()
        self.running: list[_Sequence] = []
        self._closed = False
        self._wake = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="scheduler", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
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
        self._send([(job, RuntimeError("closed")) for job in (*self._jobs(), *self.waiting)])

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
                self._send([(job, error) for job in self._jobs()])
                self.running.clear()

    def _jobs(self) -> set[Job]:
        return {sequence.job for sequence in self.running}

    def _join(self) -> None:
        """Read one waiting job's prompt, if there is room for all its choices."""
        job = self.waiting[0] if self.waiting else None
        if job is None or len(self.running) + job.request.n > self.rows:
            return
        self.waiting.popleft()
        if job.cancelled:
            return
        first = len(self.running)
        new = [_Sequence(job, index, self.model) for index in range(job.request.n)]
        self.running += new
        logits = self.model.forward([job.prompt], first, [0], [job.request.model])
        for row in range(first + 1, len(self.running)):
            self.model.cache.copy(first, row, len(job.prompt))
        self._advance(new, logits.repeat(len(new), 1))

    def _leave(self) -> None:
        """Free the rows of finished and cancelled sequences; the last row fills the gap."""
        for row in reversed(range(len(self.running))):
            gone = self.running[row]
            if gone.finish or gone.job.cancelled:
                last = self.running.pop()
                if last is not gone:
                    self.model.cache.copy(len(self.running), row, last.length)
                    self.running[row] = last
                # Nothing of the text, which is people's own.
                sizes = f"{len(gone.job.prompt)}+{gone.made} tokens"
                seconds = time.monotonic() - gone.job.started
                how = gone.finish or "cancelled"
                logger.info("%s: %s, %s, %.1f s", gone.job.request.model, sizes, how, seconds)

    def _step(self) -> None:
        """Advance every running sequence by a token."""
        rows = self.running
        if rows:
            starts, names = [row.length for row in rows], [row.job.request.model for row in rows]
            logits = self.model.forward([[row.token] for row in rows], 0, starts, names)
            for row in rows:
                row.length += 1
            self._advance(rows, logits)

    def _advance(self, rows: list[_Sequence], logits: Tensor) -> None:
        for row, scores in zip(rows, logits, strict=True):
            row.mask(scores)
        counts, chances = torch.stack([row.counts for row in rows]), [row.chance() for row in rows]
        tokens = draw(logits, counts, [row.job.request for row in rows], chances)
        pairs = zip(rows, tokens, strict=True)
        self._send([(row.job, row.take(token)) for row, token in pairs])
