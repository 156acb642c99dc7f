"""Losses of a few held-out examples as the trainer measures them, to compare servers with."""

from pathlib import Path
from typing import Any

from nothing_gpt.adapter.parity_reference import (
    JudgedExample,
    ParityReference,
    fingerprint_ids,
    write_parity_reference,
)
from train.data.examples import RunExamples

_EXAMPLES = 8


def measure_parity_reference(
    folder: Path, examples: RunExamples, trainer: Any, *, quantized: bool
) -> None:
    """Measure examples one by one with the trainer's adapter, and write the losses.

    Nothing is written if examples were dropped for their length, because the trainer does not
    tell which, or if there are several processes.

    Args:
        folder: The folder of the adapter.
        examples: The examples of the run.
        trainer: The trainer, at the end of the run, with the weights in that folder.
        quantized: Whether the base is in NF4.
    """
    rows = trainer.eval_dataset
    if trainer.args.world_size > 1 or len(rows) != len(examples.evaluated):
        return
    measured = []
    for index, example in enumerate(examples.evaluated[:_EXAMPLES]):
        ids, labels = rows[index]["input_ids"], rows[index]["labels"]
        # The first token is never predicted.
        completion = sum(label != -100 for label in labels[1:])
        measured.append(
            JudgedExample(
                example=examples.held_out.index(example),
                tokens=len(ids),
                completion=completion,
                ids=fingerprint_ids(ids),
                loss=_measure_loss(trainer, rows.select([index])),
            )
        )
    dtype = str(trainer.model.dtype).removeprefix("torch.")
    write_parity_reference(folder, ParityReference(quantized, dtype, tuple(measured)))


def _measure_loss(trainer: Any, row: Any) -> float:
    """Return the loss of one example, computed as in an evaluation."""
    trainer.model.eval()
    (batch,) = trainer.get_eval_dataloader(row)
    loss, *_ = trainer.prediction_step(trainer.model, batch, prediction_loss_only=True)
    return float(loss)
