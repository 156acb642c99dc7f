"""The callback that keeps a training's state in a file."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from train.estimate.machine import Machine
from train.watch.run_state import RunState, write_state


class StateWriter(TrainerCallback):
    """Writes the state after each logged figure and each evaluation.

    Args:
        folder: The folder of the checkpoints.
        base: The base as the manifest names it.
        machine: The machine.
        count_text: Returns the tokens and bytes of the evaluated text, as `RunState` has them.
    """

    def __init__(
        self, folder: Path, base: str, machine: Machine, count_text: Callable[[], tuple[int, int]]
    ) -> None:
        self._folder = folder
        self._base = base
        self._machine = machine
        self._count_text = count_text

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Write the state at the start, or as it was at the checkpoint."""
        self._write(state)

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Write the state with the latest figures."""
        self._write(state)

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Write the state with the scenes of this evaluation."""
        self._write(state)

    def _write(self, state: TrainerState) -> None:
        if not state.is_world_process_zero:
            return
        tokens, text_bytes = self._count_text()
        write_state(
            self._folder,
            RunState(
                base=self._base,
                machine=str(self._machine),
                dollars_per_hour=self._machine.cost(3600),
                steps=state.max_steps,
                time=time.time(),
                tokens=tokens,
                text_bytes=text_bytes,
                entries=tuple(state.log_history),
            ),
        )
