"""How fast a run is and what memory it takes, in the same log as its losses."""

import resource
import sys
import time
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

if TYPE_CHECKING:
    from trl.trainer.sft_trainer import SFTTrainer


class Meter(TrainerCallback):
    """Counts tokens and seconds of a run, over its interruptions too.

    TRL counts tokens without padding, in all processes together, but from zero again after an
    interruption; the trainer's state, which checkpoints keep, carries the count over.
    """

    def __init__(self, trainer: "SFTTrainer") -> None:
        self._trainer = trainer
        self._begun = self._stepped = time.perf_counter()
        self._earlier = 0.0
        self._tokens, self._seconds = 0, 0.0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Go on counting where the checkpoint stood."""
        self._tokens = int(state.num_input_tokens_seen)
        self._trainer._total_train_tokens = self._tokens
        self._earlier = max((e.get("seconds", 0.0) for e in state.log_history), default=0.0)
        self._begun = time.perf_counter()
        self._seconds = 0.0

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Start the clock: evaluations and checkpoints lie between steps."""
        self._stepped = time.perf_counter()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Stop it, and put the count where checkpoints keep it."""
        self._seconds += time.perf_counter() - self._stepped
        state.num_input_tokens_seen = int(self._trainer._total_train_tokens)

    def measure(self) -> dict[str, float]:
        """Return what belongs beside a training loss, and start the next stretch.

        `tokens_per_second` are real tokens since the last call, in all processes together;
        `memory_gib` is this process's peak, the GPU's where there is one; `seconds` are since
        the run's first step, with evaluations.
        """
        total = int(self._trainer._total_train_tokens)
        speed = (total - self._tokens) / self._seconds if self._seconds else 0.0
        self._tokens, self._seconds = total, 0.0
        return {
            "tokens_per_second": round(speed, 1),
            "memory_gib": round(peak_memory() / 2**30, 3),
            "seconds": round(self._earlier + time.perf_counter() - self._begun, 1),
        }


def peak_memory() -> int:
    """Return the most bytes held so far: by torch on the GPU, else by this process."""
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_reserved())
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
