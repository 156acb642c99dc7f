"""A few held-out examples judged by the trainer itself, so that servers can be held against it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nothing_gpt.adapter.parity_reference import (
    JudgedExample,
    ParityReference,
    fingerprint_ids,
    write_parity_reference,
)
from train.data.examples import read_examples, sample

if TYPE_CHECKING:
    from train.finetuning import Run

_EXAMPLES = 8


def judge(folder: Path, run: "Run", trainer: Any, *, quantized: bool) -> None:
    """Have the trainer's evaluation judge examples one by one with the adapter in a folder.

    The adapter is read back, because the one in memory may not be the one that was kept.
    Nothing is written where examples were dropped for their length, since it is not known which,
    nor by several processes.
    """
    every = read_examples(run.data, run.format)[1]
    held_out = sample(every, run.config.max_eval_examples, run.config.seed)
    rows = trainer.eval_dataset
    if trainer.args.world_size > 1 or len(rows) != len(held_out):
        return
    _load(trainer.model, folder)
    judged = []
    for index, example in enumerate(held_out[:_EXAMPLES]):
        ids, labels = rows[index]["input_ids"], rows[index]["labels"]
        loss = _loss(trainer, rows.select([index]))
        # The loss is over tokens that are predicted, which the first never is.
        learned = sum(label != -100 for label in labels[1:])
        judged.append(
            JudgedExample(every.index(example), len(ids), learned, fingerprint_ids(ids), loss)
        )
    dtype = str(trainer.model.dtype).removeprefix("torch.")
    write_parity_reference(folder, ParityReference(quantized, dtype, tuple(judged)))


def _loss(trainer: Any, row: Any) -> float:
    """Give the loss of one example, by the way that evaluation goes."""
    trainer.model.eval()
    (batch,) = trainer.get_eval_dataloader(row)
    loss, *_ = trainer.prediction_step(trainer.model, batch, prediction_loss_only=True)
    return float(loss)


def _load(model: Any, folder: Path) -> None:
    from peft import load_peft_weights, set_peft_model_state_dict

    device = str(next(model.parameters()).device)
    set_peft_model_state_dict(model, load_peft_weights(str(folder), device=device))
