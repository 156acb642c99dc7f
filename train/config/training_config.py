"""Hyperparameters of QLoRA: the reference's, profiles of it, and the pocket base's."""

from dataclasses import dataclass
from math import ceil
from typing import Literal

from nothing_gpt.errors import UserError

Quantize = Literal["auto", "nf4", "none"]

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
        checkpoint_interval: Optimiser steps between checkpoints; None is `eval_interval`.
        log_interval: Optimiser steps between logged losses.
        completion_only: Learn from the answers only, not from the prompts.
        patience: Stop after so many evaluations in a row without a lower loss; None never stops.
        seed: Seed of data order and dropout.
        max_steps: Optimiser steps of a short run, whatever `epochs` says; None uses all data.
        max_eval_examples: Bound on held-out examples; None uses all.
        quantize: Whether the base is in NF4; `auto` is from a billion parameters on. NF4 alone
            costs SmolLM2-135M 0.17 nats a token, and a 3B model fits a 24 GB card only with it.
        lines_once: A bounded run takes examples that share no lines first.
    """

    rank: int = 32
    alpha: int = 32
    dropout: float = 0.1
    max_length: int = 2048
    epochs: float = 1.0
    learning_rate: float = 3e-5
    weight_decay: float = 0.005
    warmup_steps: int = 50
    train_batch: int = 4
    eval_batch: int = 2
    accumulation: int = 4
    gradient_checkpointing: bool = True
    fused: bool = False
    eval_interval: int = 50
    checkpoint_interval: int | None = None
    log_interval: int = 10
    completion_only: bool = True
    patience: int | None = None
    seed: int = 42
    max_steps: int | None = None
    max_eval_examples: int | None = None
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

    def count_steps(self, examples: int) -> int:
        """Return the optimiser steps of a run over so many examples; the last can be partial."""
        whole = int(-(-examples // self.effective_batch) * self.epochs)
        return self.max_steps or max(1, whole)

    def fit_warmup(self, steps: int) -> int:
        """Return the steps of warm-up of a run of so many steps."""
        return min(self.warmup_steps, ceil(steps * _WARMUP_SHARE))

    def fit_eval_interval(self, steps: int) -> int:
        """Return the steps between evaluations: in a short run, half of it."""
        if not self.eval_interval:
            return steps
        return max(1, min(self.eval_interval, steps // 2))

    def fit_checkpoint_interval(self, steps: int) -> int:
        """Return the steps between checkpoints, at most those between evaluations."""
        interval = self.fit_eval_interval(steps)
        return interval if self.checkpoint_interval is None else self.checkpoint_interval


REFERENCE = TrainingConfig()

FAST = TrainingConfig(
    train_batch=16, eval_batch=16, accumulation=1, gradient_checkpointing=False, fused=True
)
"""The reference's steps by the fast path, with all the memory of the GPU."""

SMALL = TrainingConfig(eval_batch=16, gradient_checkpointing=False, fused=True)
"""The same steps in four micro-batches, for a GPU of 8 GB."""

LAPTOP = TrainingConfig(
    dropout=0.0,
    learning_rate=2e-3,
    warmup_steps=10,
    train_batch=1,
    eval_batch=4,
    accumulation=1,
    gradient_checkpointing=False,
    fused=True,
    eval_interval=0,
    checkpoint_interval=30,
    log_interval=5,
    max_steps=100,
    max_eval_examples=24,
    lines_once=True,
)
"""For bases of some hundred million parameters, also without a GPU.

That is 80,000 tokens of the bundled show. SmolLM2-135M has 1.354 bits a byte held out untouched,
1.173 after 70,000 tokens and 1.164 after 100,000 (RESULTS.md, all held-out examples). Evaluating
all of them would take two cores a third of the time of training, so a sample is evaluated.
"""

POCKET = TrainingConfig(
    max_length=1024,
    learning_rate=2e-3,
    warmup_steps=10,
    accumulation=1,
    eval_batch=8,
    gradient_checkpointing=False,
    eval_interval=20,
    log_interval=5,
    max_steps=60,
    max_eval_examples=48,
    quantize="nf4",
)
"""For the pocket base: about eighty seconds of QLoRA on two CPU cores."""


def load_profile(name: str) -> TrainingConfig:
    """Return the configuration of a real base by the name of its profile.

    Raises:
        UserError: there is no profile of this name.
    """
    profiles = {"reference": REFERENCE, "fast": FAST, "small": SMALL, "laptop": LAPTOP}
    if name not in profiles:
        raise UserError(f"no profile '{name}'; there are {', '.join(profiles)}")
    return profiles[name]


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
