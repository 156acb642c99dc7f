"""Ctrl-C during training: a checkpoint is written before the run stops."""

import signal
import sys
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class InterruptionSaver(TrainerCallback):
    """Stops a run after the current step, with a checkpoint, when it is told to stop.

    A second signal stops it at once. Processes that share a run would stop at different steps and
    wait for each other, so they are interrupted as usual.
    """

    def __init__(self) -> None:
        self.interrupted = False
        self._previous: dict[signal.Signals, Any] = {}

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Install the signal handlers."""
        if args.world_size == 1:
            self._previous = {number: signal.signal(number, self._stop) for number in _SIGNALS}

    def on_prediction_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Stop an evaluation before the first step, which has nothing to save.

        Raises:
            KeyboardInterrupt: the run was told to stop.
        """
        if self.interrupted and state.global_step == 0:
            raise KeyboardInterrupt

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Ask for a checkpoint and the end of the run."""
        if self.interrupted:
            control.should_save = control.should_training_stop = True

    def close(self) -> None:
        """Restore the signal handlers, also after an error."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _stop(self, *_: object) -> None:
        self.interrupted = True
        self.close()
        print(
            "\nstopping after this step, with a checkpoint; Ctrl-C again stops at once",
            file=sys.stderr,
        )
