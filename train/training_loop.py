"""The loop around a trainer: progress, interruption, a full disk, evaluation at both ends."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from nothing_gpt.errors import UserError
from train.trainer.checkpoints import find_latest

if TYPE_CHECKING:
    from transformers import Trainer


def train_to_end(trainer: "Trainer", folder: Path, checkpoint: Path | None) -> None:
    """Train to the end, and evaluate before the first step and after the last.

    Args:
        trainer: The trainer.
        folder: The folder of the checkpoints.
        checkpoint: The checkpoint to continue from.

    Raises:
        KeyboardInterrupt: it was interrupted; the last step is saved.
        UserError: the disk is full.
    """
    from train.trainer.callbacks import ProgressBar
    from train.trainer.interruption import InterruptionSaver

    progress, interruption = ProgressBar(), InterruptionSaver()
    trainer.add_callback(progress)
    trainer.add_callback(interruption)
    trainer.args.eval_on_start = checkpoint is None
    try:
        with _crash_explained(folder):
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
            last = trainer.state.global_step
            if interruption.interrupted and last < trainer.state.max_steps:
                print(
                    f"interrupted after step {last} of {trainer.state.max_steps}, which is saved;"
                    " the same command continues from there"
                )
                raise KeyboardInterrupt
            if not any("eval_loss" in e and e["step"] == last for e in trainer.state.log_history):
                trainer.evaluate()
    finally:
        progress.close()
        interruption.close()


@contextmanager
def _crash_explained(folder: Path) -> Iterator[None]:
    """Explain errors of a disk that is full, and say after all others what was kept."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        # torch and safetensors raise their own error types, some of them without a reason.
        if "No space left" in str(error) or shutil.disk_usage(folder).free < 1_000_000:
            raise UserError(
                f"{folder}: the disk is full; free space and run the same command again, "
                "it continues from the last whole checkpoint"
            ) from error
        kept, _ = find_latest(folder)
        if kept:
            note = f"{kept.name} is kept in {folder}. The same command continues from there."
        else:
            note = "No checkpoint was made yet. The same command starts again."
        error.add_note(note)
        raise
