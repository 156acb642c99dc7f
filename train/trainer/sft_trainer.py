"""TRL's trainer, with losses that are the same however batches and processes share examples.

What it logs, and W&B is told, is what `history.json` keeps: the losses with speed and memory.
"""

from collections.abc import Iterator
from typing import Any

import torch
from trl.trainer.sft_trainer import SFTTrainer

from train.trainer.throughput import ThroughputMeter


class Trainer(SFTTrainer):
    """Counts every example once, and every token of the held-out examples alike.

    Its parent fills the last batches up with examples from the start, so that all processes have
    equally many, and gives every held-out batch the same weight, however few tokens it has.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._meter = ThroughputMeter()
        super().__init__(*arguments, **options)
        self.add_callback(self._meter)

    def get_batch_samples(self, epoch_iterator: Iterator[Any], *rest: Any) -> Any:
        """Fetch the parts of a step."""
        batches = (self._counted_once(batch) for batch in epoch_iterator)
        samples, items = super().get_batch_samples(batches, *rest)
        for batch in samples:
            self._meter.count(batch)
        return samples, items

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log losses, and beside those of training what they took."""
        for metrics in self._metrics.values():
            # TRL's count, which begins again after an interruption.
            metrics.pop("num_tokens", None)
        if "loss" in logs:
            self._meter.settle(self.state, self.accelerator.reduce)
            logs.update(self._meter.measure())
        super().log(logs, start_time)

    def evaluate(self, *arguments: Any, **options: Any) -> Any:
        """Judge the held-out examples, while the meter stands still."""
        with self._meter.paused():
            return super().evaluate(*arguments, **options)

    def _save_checkpoint(self, *arguments: Any, **options: Any) -> None:
        with self._meter.paused():
            self._meter.settle(self.state, self.accelerator.reduce)
            super()._save_checkpoint(*arguments, **options)  # type: ignore[no-untyped-call]

    def evaluation_loop(self, *arguments: Any, **options: Any) -> Any:
        """Judge the held-out examples; their loss is the mean over all their tokens."""
        self._judged: list[torch.Tensor] = []
        output = super().evaluation_loop(*arguments, **options)
        summed = torch.stack(self._judged).sum(dim=0)
        total, tokens = self.accelerator.reduce(summed, "sum").tolist()
        prefix = options.get("metric_key_prefix", "eval")
        loss = {f"{prefix}_loss": total / max(tokens, 1)}
        return output._replace(metrics=(output.metrics or {}) | loss)

    def prediction_step(self, model: Any, inputs: dict[str, Any], *rest: Any, **more: Any) -> Any:
        """Judge a batch, and note what it adds."""
        inputs = self._counted_once(inputs)
        found = super().prediction_step(model, inputs, *rest, **more)
        loss = found[0].double()  # the mean over this process's part of the batch
        tokens = inputs["labels"][..., 1:].ne(-100).sum().to(loss.device)
        self._judged.append(torch.stack([loss * tokens, tokens.double()]))
        return found

    def _counted_once(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Take the labels from examples that only fill the last batch up."""
        state, processes = self.accelerator.gradient_state, self.args.world_size
        if processes == 1 or not state.end_of_dataloader:
            return batch
        labels, starts = batch["labels"], batch.get("cu_seq_lens_q")
        examples = len(labels) if starts is None else len(starts) - 1
        # Accelerate's own count of them is wrong after a training has been continued.
        left = len(state.active_dataloader.dataset) % (examples * processes)
        if not left:
            return batch
        own = min(max(left - self.args.process_index * examples, 0), examples)
        labels = labels.clone()
        if starts is None:
            labels[own:] = -100
        else:
            labels[:, int(starts[own]) :] = -100
        return batch | {"labels": labels}
