"""The hyperparameters of tuning an adapter by votes."""

from dataclasses import replace

from train.config.training_config import TrainingConfig

_RATE, _HIGHEST_RATE = 1 / 6, 5e-5
"""Learning rate: a share of the adapter's, 5e-6 for the reference's 3e-5, and the highest. By 400
votes, SmolLM2-135M agreed with 95% of the held-out ones at 1e-4 and at 3.3e-4, but had 1.7% and 9%
more bits a byte (RESULTS.md)."""


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
        learning_rate=min(float(f"{_RATE * trained.learning_rate:.2g}"), _HIGHEST_RATE),
        epochs=1.0,
        max_steps=None,
        max_length=2048 if gpu else 768,
        dropout=0.0,
        warmup_steps=10,
        train_batch=1,
        accumulation=8,
        eval_batch=1,
        gradient_checkpointing=quantized and gpu,
        fused=trained.fused and not gpu,
        eval_interval=0,
        checkpoint_interval=10,
        log_interval=1,
        patience=None,
        quantize="nf4" if quantized else "none",
    )
