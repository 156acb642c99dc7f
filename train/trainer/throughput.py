"""Speed and memory of a run, logged with its losses."""

import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from train.trainer.loss_checks import LogEntry


@dataclass(frozen=True, slots=True)
class RunTimes:
    """Seconds of a run: of the whole, and of its evaluations and its sample scenes."""

    whole: float
    evaluations: float
    scenes: float


def measure_times(entries: Sequence[LogEntry]) -> RunTimes:
    """Add up the seconds that a run has logged so far."""
    whole = evaluations = scenes = 0.0
    for entry in entries:
        evaluation, scene = entry.get("eval_runtime", 0.0), entry.get("scene_seconds", 0.0)
        evaluations += evaluation
        scenes += scene
        # What is logged with a loss has the time until then; the last evaluation is after it.
        whole = entry.get("seconds", whole + evaluation + scene)
    return RunTimes(whole, evaluations, scenes)


class ThroughputMeter(TrainerCallback):
    """Counts the tokens and seconds of a run, across interruptions.

    It reads its counter from the GPU only when the trainer logs a loss or saves, because the
    trainer has just synchronised with the GPU then.
    """

    def __init__(self) -> None:
        # An int at first, then a tensor on the device of the batches.
        self._pending: Any = 0
        self._tokens = self._logged_tokens = 0
        self._started = self._last_logged = time.perf_counter()
        self._earlier_seconds = self._paused_seconds = 0.0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Continue the counts of the checkpoint."""
        self._pending = 0
        self._tokens = self._logged_tokens = state.num_input_tokens_seen
        self._earlier_seconds = measure_times(state.log_history).whole
        self._started = self._last_logged = time.perf_counter()
        self._paused_seconds = 0.0

    def count(self, batch: dict[str, Any]) -> None:
        """Count the tokens of a batch, without padding."""
        mask = batch.get("attention_mask")
        tokens = batch["input_ids"].numel() if mask is None else mask.sum()
        self._pending = self._pending + tokens

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the time of the block, such as an evaluation, out of the speed."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self._paused_seconds += time.perf_counter() - started

    def store_count(
        self, state: TrainerState, reduce: Callable[[torch.Tensor], torch.Tensor]
    ) -> None:
        """Add up the tokens of all processes, and put the sum where checkpoints save it.

        Args:
            state: The trainer's state.
            reduce: Sums a tensor over all processes.
        """
        device = self._pending.device if isinstance(self._pending, torch.Tensor) else None
        self._tokens += int(reduce(torch.as_tensor(self._pending, device=device)))
        self._pending = 0
        state.num_input_tokens_seen = self._tokens

    def measure(self) -> dict[str, float]:
        """Return the figures to log with a training loss, and start the next interval.

        Returns:
            `tokens`: all so far, of all processes, without padding; `tokens_per_second`: since
            the last call; `memory_gib`: this process's peak, on the GPU if there is one;
            `seconds`: since the first step, with evaluations.
        """
        now = time.perf_counter()
        seconds = now - self._last_logged - self._paused_seconds
        speed = (self._tokens - self._logged_tokens) / max(seconds, 1e-9)
        self._logged_tokens, self._last_logged, self._paused_seconds = self._tokens, now, 0.0
        return {
            "tokens": self._tokens,
            "tokens_per_second": round(speed, 1),
            "memory_gib": round(_peak_memory() / 2**30, 3),
            "seconds": round(self._earlier_seconds + now - self._started, 1),
        }


def _peak_memory() -> int:
    """Return the peak of bytes reserved on the GPU by torch, or resident in this process."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_reserved())
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
