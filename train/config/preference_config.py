"""The hyperparameters of tuning an adapter by votes."""

from dataclasses import replace

from train.config.training_config import TrainingConfig

_RATE = 1 / 6
"""Learning rate, as a share of the adapter's: 5e-6 for the reference's 3e-5."""


def choose_preference_config(
    trained: TrainingConfig, *, quantized: bool, gpu: bool
) -> TrainingConfig:
    """Choose the hyperparameters of a tuning from those that the adapter was trained with.

    Args:
        trained: The adapter's hyperparameters.
        quantized: Whether its base is in NF4.
        gpu: Whether there is a GPU.
    """
    return replace(
        trained,
        learning_rate=float(f"{_RATE * trained.learning_rate:.2g}"),
        epochs=1.0,
        max_steps=None,
        max_length=2048 if gpu else 768,
        dropout=0.0,
        warmup_steps=10,
        train_batch=1,
        accumulation=8,
        eval_batch=1,
        gradient_checkpointing=quantized and gpu,
        fused=False,
        eval_interval=0,
        checkpoint_interval=10,
        log_interval=1,
        patience=None,
        quantize="nf4" if quantized else "none",
    )
