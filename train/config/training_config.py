"""How a model is tuned: the reference's configuration, and a small one for the pocket base."""

from dataclasses import dataclass

from nothing_gpt.errors import UserError


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """One run of QLoRA. The defaults are the reference's, which a 24 GB L4 holds.

    Lengths are in tokens, batches in examples, intervals in optimiser steps. `max_steps` and
    `max_eval_examples` bound a run that must be short; None means the whole data. A
    `learning_rate` is the peak of a cosine with `warmup_steps` of linear warm-up. `fused` runs
    batches without padding through `train.fused`, which checkpoints what memory asks for.
    `completion_only` learns from the answers alone, not from what asks for them. `patience` ends
    a run after so many evaluations in a row without a lower loss; None never does.
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
    log_interval: int = 10
    completion_only: bool = True
    patience: int | None = None
    seed: int = 42
    max_steps: int | None = None
    max_eval_examples: int | None = None

    @property
    def effective_batch(self) -> int:
        """Examples in one optimiser step on one device."""
        return self.train_batch * self.accumulation

    @property
    def max_examples(self) -> int | None:
        """Examples that a bounded run gets to see; more need not be tokenised."""
        return None if self.max_steps is None else self.max_steps * self.effective_batch

    def count_steps(self, examples: int) -> int:
        """Return the optimiser steps of a run over so many examples, the last one partial."""
        whole = int(-(-examples // self.effective_batch) * self.epochs)
        return max(1, min(whole, self.max_steps or whole))


REFERENCE = TrainingConfig()

FAST = TrainingConfig(
    train_batch=16, eval_batch=16, accumulation=1, gradient_checkpointing=False, fused=True
)
"""The reference's steps on a CUDA GPU, and all the memory that it has."""

SMALL = TrainingConfig(eval_batch=16, gradient_checkpointing=False, fused=True)
"""The same steps in four parts, for a card of 8 GB."""

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
)
"""For the pocket base on two CPU cores: about eighty seconds of QLoRA."""


def load_profile(name: str) -> TrainingConfig:
    """Return the configuration for a real base by its name.

    Raises:
        UserError: there is none of this name.
    """
    profiles = {"reference": REFERENCE, "fast": FAST, "small": SMALL}
    if name not in profiles:
        raise UserError(f"no profile '{name}'; there are {', '.join(profiles)}")
    return profiles[name]


def list_warnings(config: TrainingConfig) -> list[str]:
    """List what the reference's experience speaks against, each with its evidence."""
    found = []
    if config.epochs > 1:
        found.append(f"epochs {config.epochs:g}: the reference saw overfitting after the first")
    if config.alpha > config.rank:
        found.append(
            f"alpha/r {config.alpha / config.rank:g}: at 2.0 the reference's eval loss rose "
            "from 2.187 at epoch 0.27 to 2.236 at 0.98"
        )
    if config.rank >= 64:
        found.append(f"r {config.rank}: r 64 gained 0.005 over r 32 (1.727 against 1.732)")
    if config.effective_batch < 8 and config.max_steps is None:
        found.append(f"effective batch {config.effective_batch}: below 8 the loss is too noisy")
    return found
