"""The hyperparameters of a run."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Interval

Quantize = Literal["auto", "nf4", "none"]
_Positive = Annotated[int, Ge(1)]

_WARMUP_SHARE = 1 / 6
"""The most of a run that is warm-up. The reference warmed up for 50 of 563 steps; with 50 steps a
run of 30 would never reach its learning rate."""


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Hyperparameters of one run. The defaults are the reference's, which fit a 24 GB L4.

    Attributes:
        rank: LoRA's r.
        alpha: LoRA's alpha.
        dropout: Dropout on the inputs of the adapters.
        target_modules: Names of the linear layers with adapters, as q_proj; none means all.
        max_length: Tokens of an example at most; longer ones are cut.
        epochs: Passes over the training examples.
        learning_rate: Peak of a cosine schedule.
        weight_decay: Of AdamW.
        warmup_steps: Steps of linear warm-up.
        train_batch: Examples in a micro-batch.
        eval_batch: Examples in a batch of the evaluation.
        accumulation: Micro-batches in an optimiser step.
        gradient_checkpointing: Whether PEFT's layers compute their activations twice.
        fused: Train batches without padding through `train.fused`, which checkpoints as much as
            the memory requires.
        eval_interval: Optimiser steps between evaluations; 0 evaluates only before the first
            step and after the last.
        eval_share: The most of a run's time that evaluations may take, by plan: those between
            the first and the last are fewer then. 1 leaves all.
        checkpoint_interval: Optimiser steps between checkpoints; None is `eval_interval`.
        log_interval: Optimiser steps between logged losses.
        completion_only: Learn from the answers only, not from the prompts.
        patience: Stop after so many evaluations in a row without a lower loss; None never stops.
        seed: Seed of data order and dropout.
        max_steps: Optimiser steps of a short run, whatever `epochs` says; None uses all data.
        max_eval_examples: Bound on the held-out examples that are evaluated; None uses all.
        all_at_end: Evaluate the finished adapter on all held-out examples, if there are more.
        quantize: Whether the base is in NF4; `auto` is from a billion parameters on. NF4 alone
            costs SmolLM2-135M 0.17 nats a token, and a 3B model fits a 24 GB card only with it.
        lines_once: A bounded run takes examples that share no lines first.
    """

    rank: _Positive = 32
    alpha: _Positive = 32
    dropout: Annotated[float, Interval(ge=0, lt=1)] = 0.1
    target_modules: tuple[str, ...] = ()
    max_length: _Positive = 2048
    epochs: Annotated[float, Interval(gt=0, le=1000)] = 1.0
    learning_rate: Annotated[float, Interval(gt=0, le=1)] = 3e-5
    weight_decay: Annotated[float, Interval(ge=0, le=1)] = 0.005
    warmup_steps: Annotated[int, Ge(0)] = 50
    train_batch: _Positive = 4
    eval_batch: _Positive = 2
    accumulation: _Positive = 4
    gradient_checkpointing: bool = True
    fused: bool = False
    eval_interval: Annotated[int, Ge(0)] = 50
    eval_share: Annotated[float, Interval(gt=0, le=1)] = 0.1
    checkpoint_interval: _Positive | None = None
    log_interval: _Positive = 10
    completion_only: bool = True
    patience: _Positive | None = None
    seed: Annotated[int, Ge(0)] = 42
    max_steps: _Positive | None = None
    max_eval_examples: _Positive | None = None
    all_at_end: bool = False
    quantize: Quantize = "auto"
    lines_once: bool = False

    @property
    def effective_batch(self) -> int:
        """Examples in one optimiser step on one device."""
        return self.train_batch * self.accumulation

    @property
    def max_examples(self) -> int | None:
        """Training examples that a bounded run uses; None is all of them."""
        return None if self.max_steps is None else self.max_steps * self.effective_batch

    def evaluates_all(self, held_out: int) -> bool:
        """Return whether the finished adapter is evaluated on more examples than the run uses."""
        most = self.max_eval_examples
        return self.all_at_end and most is not None and most < held_out

    def count_steps(self, examples: int) -> int:
        """Return the optimiser steps of a run over so many examples; the last can be partial."""
        whole = int(-(-examples // self.effective_batch) * self.epochs)
        return self.max_steps or max(1, whole)

    def fit_warmup(self, steps: int) -> int:
        """Return the steps of warm-up of a run of so many steps; the first one has rate 0."""
        return min(self.warmup_steps, int(steps * _WARMUP_SHARE))

    def fit_eval_interval(self, steps: int, cost: float = 0.0, whole: float = 0.0) -> int:
        """Return the steps between evaluations: in a short run, half of it.

        It is longer where evaluations would take more than their share. The first and the last
        are always made, and so many in between that a best checkpoint can be found, and patience
        run out.

        Args:
            steps: Optimiser steps of the run.
            cost: The time of an evaluation, relative to that of all steps.
            whole: The same of the evaluation of all held-out examples after the last step.
        """
        if not self.eval_interval:
            return steps
        interval = max(1, min(self.eval_interval, steps // 2))
        if self.eval_share == 1 or not cost:
            return interval
        allowed = int((self.eval_share / (1 - self.eval_share) - whole) / cost) - 2
        between = max(allowed, 1 + (self.patience or 0))
        return max(interval, -(-steps // (between + 1)))

    def fit_checkpoint_interval(self, steps: int) -> int:
        """Return the steps between checkpoints, at most those between evaluations."""
        interval = self.fit_eval_interval(steps)
        return interval if self.checkpoint_interval is None else self.checkpoint_interval


def list_warnings(config: TrainingConfig) -> list[str]:
    """List settings that went badly for the reference, each with the evidence."""
    warnings = []
    if config.epochs > 1:
        warnings.append(f"epochs {config.epochs:g}: the reference saw overfitting after the first")
    if config.alpha > config.rank:
        warnings.append(
            f"alpha/r {config.alpha / config.rank:g}: at 2.0 the reference's eval loss rose "
            "from 2.187 at epoch 0.27 to 2.236 at 0.98"
        )
    if config.rank >= 64:
        warnings.append(f"r {config.rank}: r 64 gained 0.005 over r 32 (1.727 against 1.732)")
    if config.effective_batch < 8 and config.max_steps is None:
        warnings.append(f"effective batch {config.effective_batch}: below 8 the loss is too noisy")
    return warnings
