"""Trainer callbacks: progress, checks on the losses, the best adapter, sealed checkpoints."""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from nothing_gpt.errors import UserError
from nothing_gpt.progress.log import Advance
from nothing_gpt.progress.record import record_progress
from train.trainer import checkpoints
from train.trainer.best_adapter import HeldOutScore, save_best
from train.trainer.loss_checks import (
    LogEntry,
    count_without_gain,
    find_breakdown,
    list_loss_warnings,
)
from train.trainer.process_group import ProcessGroup
from train.trainer.progress_bar import show_progress

if TYPE_CHECKING:
    from peft import PeftModel

_STATUS = {
    "loss": "loss {:.3f}",
    "eval_loss": "held out {:.3f}",
    "tokens_per_second": "{:,.0f} tokens/s",
    "memory_gib": "{:.1f} GiB",
}
_LOSSES = ("loss", "eval_loss")


class ProgressBar(TrainerCallback):
    """Shows the steps done, the remaining time, and the latest losses, speed and memory."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._advance: Advance | None = None
        self._status: dict[str, str] = {}

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Open the bar at the current step."""
        if not state.is_world_process_zero:
            return
        bar = show_progress("training the adapter", state.max_steps, state.global_step)
        self._advance = self._stack.enter_context(bar)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Store the latest figures, and record the losses."""
        for key, text in _STATUS.items():
            if logs and key in logs:
                self._status[key] = text.format(logs[key])
        losses = {key: value for key, value in (logs or {}).items() if key in _LOSSES}
        if losses and state.is_world_process_zero:
            record_progress({"step": state.global_step, **losses})

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Advance the bar by a step."""
        if self._advance:
            self._advance(", ".join(self._status[key] for key in _STATUS if key in self._status))

    def close(self) -> None:
        """Restore the terminal, also after an error."""
        self._stack.close()


class LossMonitor(TrainerCallback):
    """Stops a run that broke down or no longer improves, and prints each warning once.

    Args:
        patience: Evaluations without a lower loss after which to stop; None never stops.
    """

    def __init__(self, patience: int | None) -> None:
        self._patience = patience
        self._printed: set[str] = set()

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Skip the warnings that were printed before an interruption."""
        self._printed.update(list_loss_warnings(state.log_history))

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: LogEntry | None = None,
        **_: Any,
    ) -> None:
        """Check the latest figures, before a checkpoint is made of that state.

        Raises:
            UserError: a loss or gradient is not a finite number.
        """
        broken = find_breakdown(logs or {}, scaled=args.fp16)
        if broken:
            raise UserError(_explain(broken, state.global_step, args))
        for warning in list_loss_warnings(state.log_history):
            if warning not in self._printed and state.is_world_process_zero:
                print(f"warning: {warning}", file=sys.stderr)
            self._printed.add(warning)

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Stop the run when patience runs out."""
        without = count_without_gain(state.log_history)
        if self._patience is not None and without >= self._patience:
            control.should_training_stop = True
            if state.is_world_process_zero and state.global_step < state.max_steps:
                print(f"step {state.global_step}: evaluations without gain: {without}; stopping")


class BestAdapterSaver(TrainerCallback):
    """Saves the adapter after each evaluation that is better than all before it.

    The evaluation before the first step is of the base alone, and does not count.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        model: "PeftModel | None" = None,
        **_: Any,
    ) -> None:
        """Save the adapter if it is the best so far."""
        if not (metrics and model and state.global_step and state.is_world_process_zero):
            return
        save_best(model, HeldOutScore(state.global_step, metrics["eval_loss"]), self._folder)


class CheckpointSealer(TrainerCallback):
    """Seals each checkpoint after all processes have written their parts of it.

    Args:
        publish: Called after that; on Modal it commits the volume.
        group: The processes of this run.
    """

    def __init__(self, publish: Callable[[], None], group: ProcessGroup) -> None:
        self._publish = publish
        self._group = group

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Seal the checkpoint of this step."""
        checkpoint = Path(args.output_dir or "") / f"checkpoint-{state.global_step}"
        self._group.wait_for_all()
        self._group.run_on_first(lambda: self._seal(checkpoint))

    def _seal(self, checkpoint: Path) -> None:
        checkpoints.seal(checkpoint)
        self._publish()


class DropoutSeeder(TrainerCallback):
    """Gives every process its own dropout masks; the trainer seeds all processes alike."""

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Seed torch, after the data's order is drawn and before a checkpoint is restored."""
        if args.process_index:
            torch.manual_seed(args.seed + args.process_index)


def _explain(broken: str, step: int, args: TrainingArguments) -> str:
    latest, _ = checkpoints.find_latest(Path(args.output_dir or ""))
    good = f"the last good checkpoint is {latest}" if latest else "no checkpoint was made yet"
    return (
        f"{broken} at step {step} (looked at every {args.logging_steps:g}): training has broken"
        f" down; {good}, and the adapter that was there before is untouched. Try a learning rate"
        f" below {args.learning_rate:g}, more warm-up than {args.warmup_steps:g} steps, or a card"
        " with bf16 if this was fp16"
    )
