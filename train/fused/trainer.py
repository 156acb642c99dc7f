"""TRL's trainer over batches without padding, through the fused layers and their own head."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from nothing_gpt.errors import UserError
from train.fused.install import fuse, is_fusible
from train.trainer.sft_trainer import Trainer

Batch = dict[str, Any]


class FusedTrainer(Trainer):
    """Takes the arguments of TRL's trainer, made for padding-free batches.

    Nothing in a step waits for the GPU: TRL's own loss asks it for token accuracy and entropy
    after every forward pass, which are therefore not logged here.

    Args:
        longest: Tokens to cut examples to; TRL leaves padding-free ones as they are.

    Raises:
        UserError: the base is not a Llama.
    """

    def __init__(self, *, args: Any, longest: int | None = None, **kwargs: Any) -> None:
        # Each of these would make the CPU wait for the GPU in every step.
        args.logging_nan_inf_filter = False
        args.accelerator_config.non_blocking = True
        super().__init__(args=args, **kwargs)
        model: Any = self.model
        if not is_fusible(model.get_base_model()):
            raise UserError(
                f"the fused layers are Llama's, and this base is a '{model.config.model_type}'; "
                "use '--profile reference'"
            )
        fuse(model)
        self.data_collator = _Targets(self.data_collator)
        if longest:
            self.train_dataset = _cut(self.train_dataset, longest)
            self.eval_dataset = _cut(self.eval_dataset, longest)

    def compute_loss(
        self,
        model: Any,
        inputs: Batch,
        return_outputs: bool = False,  # noqa: FBT001 - the signature is transformers'
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """Return the loss of the batch, weighted by token over the whole optimiser step."""
        given = {key: value for key, value in inputs.items() if key != "labels"}
        loss = model(**given, use_cache=False)
        if num_items_in_batch is None:
            loss = loss / max(len(inputs["targets"]), 1)
        else:
            loss = loss / num_items_in_batch
            if self.args.average_tokens_across_devices:
                loss = loss * self.accelerator.num_processes
        return (loss, None) if return_outputs else loss

    def _counted_once(self, batch: Batch) -> Batch:
        counted = super()._counted_once(batch)
        return counted if counted is batch else counted | _targets(counted["labels"])


class _Targets:
    """Says where a batch has tokens to learn from, while it is still in the CPU's memory.

    Asked of the GPU, their number would make the CPU wait for it.
    """

    def __init__(self, collate: Callable[[list[Batch]], Batch]) -> None:
        self._collate = collate

    def __call__(self, examples: list[Batch]) -> Batch:
        batch = self._collate(examples)
        return batch | _targets(batch["labels"])


def _targets(labels: Tensor) -> Batch:
    following = labels[0, 1:]
    places = (following != -100).nonzero()[:, 0]
    return {"places": places, "targets": following[places]}


def _cut(dataset: Any, longest: int) -> Any:
    """Cut examples to length as TRL cuts padded ones, and drop those with nothing to learn."""

    def cut(example: dict[str, list[int]]) -> dict[str, list[int]]:
        return {key: example[key][:longest] for key in ("input_ids", "labels")}

    def is_learned_from(example: dict[str, list[int]]) -> bool:
        return any(label != -100 for label in example["labels"])

    return dataset.map(cut).filter(is_learned_from)
