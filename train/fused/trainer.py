"""The trainer of the fast path: batches without padding, fused layers and head."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor

from nothing_gpt.errors import UserError
from train.fused.install import explain_unfit, fuse, is_small, plain_attention
from train.trainer.sft_trainer import AdapterTrainer

Batch = dict[str, Any]


class FusedTrainer(AdapterTrainer):
    """Trains on padding-free batches, with TRL's arguments.

    No step waits for the GPU. TRL's own loss reads token accuracy and entropy from the GPU after
    every forward pass; they are not logged here.

    Args:
        args: TRL's arguments.
        longest: Tokens of an example at most, because TRL does not cut padding-free examples.
        kwargs: The other arguments of TRL's trainer.

    Raises:
        UserError: the fast path does not take the base.
    """

    def __init__(self, *, args: Any, longest: int | None = None, **kwargs: Any) -> None:
        # The other values make the CPU wait for the GPU in every step.
        args.logging_nan_inf_filter = False
        args.accelerator_config.non_blocking = True
        super().__init__(args=args, **kwargs)
        model: Any = self.model
        reason = explain_unfit(model.get_base_model(), longest or 0)
        if reason:
            raise UserError(
                f"the fast path cannot train this: {reason}; use '--profile reference'"
            )
        fuse(model)
        self.data_collator = _TargetCollator(self.data_collator)
        if longest:
            self.train_dataset = _cut(self.train_dataset, longest)
            self.eval_dataset = _cut(self.eval_dataset, longest)
            if self.all_held_out is not None:
                self.all_held_out = _cut(self.all_held_out, longest)

    def compute_loss(
        self,
        model: Any,
        inputs: Batch,
        return_outputs: bool = False,  # noqa: FBT001 - the signature is transformers'
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """Return the loss of a batch, weighted by token over the whole optimiser step."""
        fields = {key: value for key, value in inputs.items() if key != "labels"}
        loss = model(**fields, use_cache=False)
        if num_items_in_batch is None:
            loss = loss / max(len(inputs["targets"]), 1)
        else:
            loss = loss / num_items_in_batch
            if self.args.average_tokens_across_devices:
                loss = loss * self.accelerator.num_processes
        return (loss, None) if return_outputs else loss

    @property
    def uses_graphs(self) -> bool:
        """Whether training runs as CUDA graphs."""
        model: Any = self.model
        causal = model.get_base_model()
        return bool(causal.lm_head.weight.is_cuda and is_small(causal))

    @contextmanager
    def generating(self) -> Iterator[None]:
        """Let `generate` run, in the layers that were there before the fused ones."""
        with super().generating(), plain_attention(self.model):
            yield

    def _ignore_repeated(self, batch: Batch) -> Batch:
        masked = super()._ignore_repeated(batch)
        return masked if masked is batch else masked | _targets(masked["labels"])


class _TargetCollator:
    """Collates a batch, and adds the tokens to learn from and their places.

    This happens while the batch is on the CPU. On the GPU, the CPU would wait for their number.
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
    """Cut examples as TRL cuts padded ones, and drop those without a token to learn from."""

    def cut(example: dict[str, list[int]]) -> dict[str, list[int]]:
        return {key: example[key][:longest] for key in ("input_ids", "labels")}

    def has_targets(example: dict[str, list[int]]) -> bool:
        return any(label != -100 for label in example["labels"])

    return dataset.map(cut).filter(has_targets)
