"""Hyperparameters of the pocket base."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PretrainingConfig:
    """How the pocket base is trained; RESULTS.md has the measurement behind each value.

    Attributes:
        tokens: Tokens in all batches together, without padding.
        batch: Rows in an optimiser step.
        max_length: Tokens of a row at most; longer ones are cut.
        matrix_rate: Learning rate of Muon, for the matrices of the layers.
        vector_rate: Learning rate of AdamW, for embeddings and norms.
        weight_decay: Of both optimisers.
        warmup_steps: Steps of linear warm-up.
        seed: Seed of the initial weights and of the order of rows.
    """

    tokens: int = 400_000
    batch: int = 4
    max_length: int = 1024
    matrix_rate: float = 0.01
    vector_rate: float = 3e-3
    weight_decay: float = 0.1
    warmup_steps: int = 30
    seed: int = 0
