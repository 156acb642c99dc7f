"""What happens while the trainer runs: a progress bar, sealed checkpoints, dropout's masks."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from train import checkpoints
from train.processes import Group
from train.progress import Advance, bar


class ProgressBar(TrainerCallback):
    """Shows how far training is, how long it still takes, and the latest losses."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._advance: Advance | None = None
        self._note = ""

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Open the bar where training stands."""
        if not state.is_world_process_zero:
            return
        shown = bar("training the adapter", state.max_steps, state.global_step)
        self._advance = self._stack.enter_context(shown)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Note the newest losses."""
        for key, label in (("loss", "loss"), ("eval_loss", "held out")):
            if logs and key in logs:
                self._note = f"{label} {logs[key]:.3f}"

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Move the bar by a step."""
        if self._advance:
            self._advance(self._note)

    def close(self) -> None:
        """Leave the terminal as it was, also after an error."""
        self._stack.close()


class Sealing(TrainerCallback):
    """Declares each checkpoint whole once all processes have written their parts of it.

    `published` runs after that; on Modal it commits the volume.
    """

    def __init__(self, published: Callable[[], None], group: Group) -> None:
        self._published = published
        self._group = group

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Seal the checkpoint of this step."""
        self._group.wait()
        self._group.decide(
            lambda: self._publish(Path(args.output_dir or "") / f"checkpoint-{state.global_step}")
        )

    def _publish(self, checkpoint: Path) -> None:
        checkpoints.seal(checkpoint)
        self._published()


class OwnMasks(TrainerCallback):
    """Lets every process draw its own dropout masks; the trainer seeds all of them alike."""

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Seed, after the data's order was drawn and before a checkpoint's state is restored."""
        if args.process_index:
            torch.manual_seed(args.seed + args.process_index)
