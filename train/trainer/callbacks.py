"""What happens while the trainer runs: progress, a watch on the losses, whole checkpoints."""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from nothing_gpt.errors import UserError
from train.trainer import checkpoints
from train.trainer.best_adapter import HeldOutScore, save_best
from train.trainer.loss_monitor import LogEntry, count_without_gain, find_breakdown, list_remarks
from train.trainer.process_group import ProcessGroup
from train.trainer.progress_bar import Advance, bar

if TYPE_CHECKING:
    from peft import PeftModel

_SHOWN = {
    "loss": "loss {:.3f}",
    "eval_loss": "held out {:.3f}",
    "tokens_per_second": "{:,.0f} tokens/s",
    "memory_gib": "{:.1f} GiB",
}


class ProgressBar(TrainerCallback):
    """Shows how far training is, how long it still takes, its losses, speed and memory."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._advance: Advance | None = None
        self._notes: dict[str, str] = {}

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
        """Note the newest figures."""
        for key, shown in _SHOWN.items():
            if logs and key in logs:
                self._notes[key] = shown.format(logs[key])

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Move the bar by a step."""
        if self._advance:
            self._advance(", ".join(self._notes[key] for key in _SHOWN if key in self._notes))

    def close(self) -> None:
        """Leave the terminal as it was, also after an error."""
        self._stack.close()


class LossMonitor(TrainerCallback):
    """Stops a run that has broken down, or that no longer gains; says what is odd once.

    `patience` is in evaluations; None goes on to the end.
    """

    def __init__(self, patience: int | None) -> None:
        self._patience = patience
        self._said: set[str] = set()

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Know what was said before an interruption."""
        self._said.update(list_remarks(state.log_history))

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: LogEntry | None = None,
        **_: Any,
    ) -> None:
        """Look at the newest numbers, before a checkpoint is made of what led to them.

        Raises:
            UserError: a loss or gradient is no number any more.
        """
        broken = find_breakdown(logs or {}, scaled=args.fp16)
        if broken:
            raise UserError(_explain(broken, state.global_step, args))
        for remark in list_remarks(state.log_history):
            if remark not in self._said and state.is_world_process_zero:
                print(f"warning: {remark}", file=sys.stderr)
            self._said.add(remark)

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """End the run if patience has run out."""
        without = count_without_gain(state.log_history)
        if self._patience is not None and without >= self._patience:
            control.should_training_stop = True
            if state.is_world_process_zero and state.global_step < state.max_steps:
                print(f"step {state.global_step}: evaluations without gain: {without}; stopping")


class BestAdapterSaver(TrainerCallback):
    """Saves the adapter after each evaluation that is better than all before it.

    The one before the first step is of the base alone and does not count.
    """

    def __init__(self, work: Path) -> None:
        self._work = work

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
        save_best(model, HeldOutScore(state.global_step, metrics["eval_loss"]), self._work)


class CheckpointSealer(TrainerCallback):
    """Declares each checkpoint whole once all processes have written their parts of it.

    `published` runs after that; on Modal it commits the volume.
    """

    def __init__(self, published: Callable[[], None], group: ProcessGroup) -> None:
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


class RowMaskSetup(TrainerCallback):
    """Lets every process draw its own dropout masks; the trainer seeds all of them alike."""

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Seed, after the data's order was drawn and before a checkpoint's state is restored."""
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
