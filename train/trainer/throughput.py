"""How fast a run is and what memory it takes, in the same log as its losses."""

import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class ThroughputMeter(TrainerCallback):
    """Counts tokens and seconds of a run, over its interruptions too.

    It never asks the GPU but where the trainer has just waited for it, when it logs a loss.
    """

    def __init__(self) -> None:
        self._fresh: Any = 0
        self._total = self._logged = 0
        self._begun = self._since = time.perf_counter()
        self._earlier = self._away = 0.0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Go on counting where the checkpoint stood."""
        self._fresh = 0
        self._total = self._logged = state.num_input_tokens_seen
        self._earlier = max((e.get("seconds", 0.0) for e in state.log_history), default=0.0)
        self._begun = self._since = time.perf_counter()
        self._away = 0.0

    def count(self, batch: dict[str, Any]) -> None:
        """Count the tokens of a batch, but for padding."""
        mask = batch.get("attention_mask")
        self._fresh = self._fresh + (batch["input_ids"].numel() if mask is None else mask.sum())

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave what is done meanwhile, such as an evaluation, out of the speed."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self._away += time.perf_counter() - started

    def settle(self, state: TrainerState, add: Callable[[torch.Tensor], torch.Tensor]) -> None:
        """Put the count where checkpoints keep it.

        Args:
            state: The trainer's.
            add: Adds up what all processes counted.
        """
        device = self._fresh.device if isinstance(self._fresh, torch.Tensor) else None
        self._total += int(add(torch.as_tensor(self._fresh, device=device)))
        self._fresh = 0
        state.num_input_tokens_seen = self._total

    def measure(self) -> dict[str, float]:
        """Return what belongs beside a training loss, and start the next stretch.

        `tokens` are all so far, without padding, of all processes; `tokens_per_second` those
        since the last call; `memory_gib` this process's peak, the GPU's where there is one;
        `seconds` the time since the first step, evaluations included.
        """
        now = time.perf_counter()
        speed = (self._total - self._logged) / max(now - self._since - self._away, 1e-9)
        self._logged, self._since, self._away = self._total, now, 0.0
        return {
            "tokens": self._total,
            "tokens_per_second": round(speed, 1),
            "memory_gib": round(_peak_memory() / 2**30, 3),
            "seconds": round(self._earlier + now - self._begun, 1),
        }


def _peak_memory() -> int:
    """Return the most bytes held so far: by torch on the GPU, else by this process."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_reserved())
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
