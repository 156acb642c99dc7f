"""What happens while the trainer runs: a progress bar, sealed checkpoints."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from train import checkpoints
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
    """Declares each checkpoint whole once the trainer has written all of it.

    `published` runs after that; on Modal it commits the volume.
    """

    def __init__(self, published: Callable[[], None]) -> None:
        self._published = published

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Seal the checkpoint of this step."""
        checkpoints.seal(Path(args.output_dir or "") / f"checkpoint-{state.global_step}")
        self._published()
