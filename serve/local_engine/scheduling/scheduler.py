"""Continuous batching: one thread advances all running sequences by one token at a time."""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from itertools import takewhile

import torch
from torch import Tensor

from serve.local_engine.grammar_compiler import mask_logits
from serve.local_engine.model import LocalModel
from serve.local_engine.scheduling.job import ChunkSink, GenerationJob, TextChunk
from serve.local_engine.scheduling.metrics import Metrics
from serve.local_engine.scheduling.running_sequence import RunningSequence
from serve.local_engine.scheduling.sampling import sample
from serve.local_engine.scheduling.token_score import TokenScore, score_tokens
from serve.local_engine.scheduling.waiting_jobs import WaitingJobs
from serve.logs import logger
from serve.middleware.constraint.grammar import describe_error
from serve.middleware.refusal import RefusedError

_DELIVERY_INTERVAL = 0.04
"""Seconds between two deliveries; first and last tokens are delivered at once.

The event loop shares the interpreter's lock with the scheduler's thread. A call for each token of
eight streams took an eighth of a step.
"""

_SCORED_AT_ONCE = 128
"""Tokens of a prompt whose logits are in memory together; 64 MB at a vocabulary of 128,256."""


class Scheduler:
    """The owner of the model and its thread. Each choice of a job has a row of its own.

    Args:
        rows: Sequences that run at once.
        send: Called in the scheduler's thread.

    Attributes:
        failure: Why the engine cannot generate anything any more; None while it can.
    """

    def __init__(self, model: LocalModel, rows: int, send: ChunkSink) -> None:
        self.model, self.rows, self._send = model, rows, send
        self.waiting = WaitingJobs()
        self.running: list[RunningSequence] = []
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
            self.waiting.add(job)
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
                self._start_next_choices()
                self._remove_ended()
                self._step()
            except Exception as error:  # noqa: BLE001 - the jobs get it, and the log
                logger.exception("generation failed")
                self._recover(error)

    def _recover(self, error: Exception) -> None:
        """Fail the running jobs, and find out whether the model still works."""
        jobs = {sequence.job for sequence in self.running}
        for job in jobs:
            job.cancelled = True  # and its choices that are still waiting
        self.running.clear()
        self._row_contents = [("", [])] * self.rows
        try:
            self.model.forward([[0]], 0, [0], self.model.names[:1])
        except Exception as lasting:  # noqa: BLE001 - health reports it, and the server ends
            self.failure, self._closed = lasting, True
        self._deliver([(job, error) for job in jobs], at_once=True)

    def _start_next_choices(self) -> None:
        """Read the prompt of the job whose turn it is, for those of its choices that get rows."""
        with self._work_arrived:
            running = [sequence.job.key for sequence in self.running]
            taken = self.waiting.take(running, self.rows - len(running))
        if taken is None:
            return
        job, choices = taken
        name, first_row, length = job.request.model, len(self.running), len(job.prompt)
        new = [RunningSequence(job, index, self.model) for index in choices]
        scored = job.scores_prompt and choices.start == 0
        reused = 0 if scored else self._reuse_prefix(name, job.prompt, first_row)
        self.running += new
        if scored:
            logits = self._score_prompt(job, first_row)
        else:
            logits = self.model.forward([job.prompt[reused:]], first_row, [reused], [name])
        for row in range(first_row, len(self.running)):
            self._row_contents[row] = name, job.prompt
            if row > first_row:
                self.model.copy_row(first_row, row, length)
        self._advance(new, logits.repeat(len(new), 1))
        if choices.start == 0:
            self.metrics.prompt_tokens.labels(name).inc(length)
            self.metrics.reused_tokens.labels(name).inc(reused)
            seconds = time.monotonic() - job.started_at
            self.metrics.first_token_seconds.labels(name).observe(seconds)

    def _score_prompt(self, job: GenerationJob, row: int) -> Tensor:
        """Read a prompt and score its tokens; return the logits after the last one."""
        logits = torch.empty(0)
        for start in range(0, len(job.prompt), _SCORED_AT_ONCE):
            part, following = (job.prompt[at : at + _SCORED_AT_ONCE] for at in (start, start + 1))
            name = job.request.model
            logits = self.model.forward([part], row, [start], [name], after_each=True)
            count = job.request.logprobs_count or 0
            job.prompt_scores += score_tokens(logits[: len(following)], following, count)
        return logits[-1:]

    def _reuse_prefix(self, name: str, prompt: list[int], row: int) -> int:
        """Fill a row with the longest prefix of a prompt that any row has; return its length."""

        def measure(contents: tuple[str, list[int]]) -> int:
            # The last token is always read again, because its logits are needed.
            pairs = zip(prompt[:-1], contents[1], strict=False) if contents[0] == name else ()
            return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

        lengths = [measure(contents) for contents in self._row_contents]
        best = lengths.index(max(lengths))
        if lengths[best] and best != row:
            self.model.copy_row(best, row, lengths[best])
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
                    self.model.copy_row(len(self.running), row, last.cached_length)
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

    def _advance(self, sequences: Sequence[RunningSequence], logits: Tensor) -> None:
        for sequence, row in zip(sequences, logits, strict=True):
            if sequence.matcher is not None:
                mask_logits(sequence.matcher, row)
                if sequence.matcher.is_error():
                    self._refuse(sequence)
        counts = [sequence.job.request.logprobs_count for sequence in sequences]
        # Before the penalties change the logits in place.
        unchanged = logits.clone() if set(counts) != {None} else logits
        tokens = sample(logits, [each.prepare_sampling(logits.shape[1]) for each in sequences])
        scores: list[TokenScore | None] = [
            None if count is None else score_tokens(unchanged[i : i + 1], [tokens[i]], count)[0]
            for i, count in enumerate(counts)
        ]
        going = [s for s in zip(sequences, tokens, scores, strict=True) if not s[0].job.cancelled]
        chunks = [
            (sequence.job, sequence.append(token, score)) for sequence, token, score in going
        ]
        at_once = any(len(s.generated) == 1 or s.finish_reason for s, *_ in going)
        self._deliver(chunks, at_once=at_once)
        for name, count in Counter(s.name for s, *_ in going).items():
            self.metrics.generated_tokens.labels(name).inc(count)

    def _refuse(self, sequence: RunningSequence) -> None:
        """End a job whose constraint has become too large to go on with."""
        sequence.job.cancelled = True
        text = f"the constraint: {describe_error(sequence.matcher)}" if sequence.matcher else ""
        error = RefusedError(400, text, param="structured_outputs")
        self._deliver([(sequence.job, error)], at_once=True)

    def _deliver(
        self, items: Sequence[tuple[GenerationJob, TextChunk | Exception]], *, at_once: bool
    ) -> None:
        self._undelivered += items
        if at_once or time.monotonic() > self._last_delivery_at + _DELIVERY_INTERVAL:
            self._send(self._undelivered)
            self._undelivered, self._last_delivery_at = [], time.monotonic()
