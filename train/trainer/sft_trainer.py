"""TRL's trainer with losses that do not depend on how batches and processes share examples.

`history.json` and Weights & Biases get the same log: losses with speed and memory.

Private parts of TRL, transformers and accelerate (TRL 1.16) are used here, and in
`train.preferences.trainer.fused_pairs`:

- `TrainingArguments._n_gpu`: there is no public way to train on one of several visible GPUs in
  one process; the trainer would wrap the model in torch's DataParallel.
- `SFTTrainer._metrics`: TRL logs a token count of its own, which starts again after an
  interruption, and has no option to leave it out.
- `Trainer._save_checkpoint`: the token count must be current before the state is saved, and no
  callback runs at that point.
- `GradientState.active_dataloader`: accelerate's own `remainder` is wrong in a continued run.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from trl.trainer.sft_trainer import SFTTrainer

from train.trainer.best_adapter import WholeScore
from train.trainer.throughput import ThroughputMeter

HELD_OUT, ALL_HELD_OUT = "sample", "all"
"""Names of the two data sets that TRL prepares."""


class AdapterTrainer(SFTTrainer):
    """Counts every example once, and weights every held-out token equally.

    The parent class fills up the last batches with examples from the start of the data, so that
    all processes have equally many batches. It also gives every held-out batch the same weight,
    however few tokens it has.
    """

    def __init__(self, *, args: Any, **options: Any) -> None:
        if args.world_size == 1:
            args._n_gpu = min(args.n_gpu, 1)
        self._meter = ThroughputMeter()
        self._eval_sums: list[torch.Tensor] = []
        self.eval_tokens = 0
        super().__init__(args=args, **options)
        self.all_held_out: Any = None
        if isinstance(self.eval_dataset, dict):
            self.all_held_out = self.eval_dataset[ALL_HELD_OUT]
            self.eval_dataset = self.eval_dataset[HELD_OUT]
        self.add_callback(self._meter)

    def get_batch_samples(self, epoch_iterator: Iterator[Any], *rest: Any) -> Any:
        """Fetch the micro-batches of a step, and count their tokens."""
        batches = (self._ignore_repeated(batch) for batch in epoch_iterator)
        samples, items = super().get_batch_samples(batches, *rest)
        for batch in samples:
            self._meter.count(batch)
        return samples, items

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log losses; training losses come with speed and memory."""
        for metrics in self._metrics.values():
            metrics.pop("num_tokens", None)
        if "loss" in logs:
            self._meter.store_count(self.state, self.accelerator.reduce)
            logs.update(self._meter.measure())
        super().log(logs, start_time)

    def evaluate(self, *arguments: Any, **options: Any) -> Any:
        """Evaluate the held-out examples; the speed of training leaves this time out."""
        with self._meter.paused():
            return super().evaluate(*arguments, **options)

    def evaluate_all(self) -> WholeScore:
        """Return the loss of all held-out examples, without logging it."""
        started, sampled = time.perf_counter(), self.eval_tokens
        loader = self.get_eval_dataloader(self.all_held_out)
        output = self.evaluation_loop(loader, "all", prediction_loss_only=True)
        tokens, self.eval_tokens = self.eval_tokens, sampled
        loss = float((output.metrics or {})["eval_loss"])
        return WholeScore(loss, tokens, round(time.perf_counter() - started, 1))

    @property
    def uses_graphs(self) -> bool:
        """Whether training runs as CUDA graphs."""
        return False

    @contextmanager
    def generating(self) -> Iterator[None]:
        """Let the model's `generate` run in the types of training."""
        with self.autocast_smart_context_manager():
            yield

    def _save_checkpoint(self, *arguments: Any, **options: Any) -> None:
        with self._meter.paused():
            self._meter.store_count(self.state, self.accelerator.reduce)
            super()._save_checkpoint(*arguments, **options)  # type: ignore[no-untyped-call]

    def evaluation_loop(self, *arguments: Any, **options: Any) -> Any:
        """Evaluate the held-out examples; the loss is the mean over all their tokens."""
        self._eval_sums = []
        output = super().evaluation_loop(*arguments, **options)
        summed = torch.stack(self._eval_sums).sum(dim=0)
        total, tokens = self.accelerator.reduce(summed, "sum").tolist()
        self.eval_tokens = int(tokens)
        prefix = options.get("metric_key_prefix", "eval")
        loss = {f"{prefix}_loss": total / max(tokens, 1)}
        return output._replace(metrics=(output.metrics or {}) | loss)

    def prediction_step(self, model: Any, inputs: dict[str, Any], *rest: Any, **more: Any) -> Any:
        """Evaluate a batch, and add its loss and tokens to the sums."""
        inputs = self._ignore_repeated(inputs)
        result = super().prediction_step(model, inputs, *rest, **more)
        loss = result[0].double()  # the mean over this process's part of the batch
        tokens = inputs["labels"][..., 1:].ne(-100).sum().to(loss.device)
        self._eval_sums.append(torch.stack([loss * tokens, tokens.double()]))
        return result

    def _ignore_repeated(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Mask the labels of examples that only fill up the last batch."""
        state, processes = self.accelerator.gradient_state, self.args.world_size
        if processes == 1 or not state.end_of_dataloader:
            return batch
        labels, starts = batch["labels"], batch.get("cu_seq_lens_q")
        examples = len(labels) if starts is None else len(starts) - 1
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
