"""How long QLoRA of a Llama takes on a GPU, by its arithmetic.

A GPU's large products reach `Gpu.sustained`; of that, on one H200 (RESULTS.md), PEFT's layers
reached 35% and the fast path 53%.
"""

from collections.abc import Sequence

from nothing_gpt.gpus import Gpu
from train.config.training_config import TrainingConfig
from train.estimate.memory import KeptActivations, ModelShape

_PLAIN, _FUSED = 0.35, 0.53
"""Shares of the sustained arithmetic: 14,707 tokens/s of 18.6 GFLOP with checkpointing without
padding, 33,549 of 12.5 GFLOP."""

_LAUNCH = 0.023
"""Seconds for Python and launches of a micro-batch and layer, forward, again and backward: a
micro-batch of four examples took 0.55 to 0.7 s for 28 layers, whatever its tokens."""


def training_seconds(
    shape: ModelShape,
    config: TrainingConfig,
    gpu: Gpu,
    batches: Sequence[int],
    learned: int,
    kept: KeptActivations | None,
) -> float:
    """Return the seconds of one pass over batches.

    Args:
        shape: The base's.
        config: The run's.
        gpu: The card.
        batches: Tokens of each micro-batch, with padding where there is any.
        learned: Tokens learned from, of all batches.
        kept: What the fast path keeps; None for the plain one.
    """
    layer = 2 * shape.linear / shape.layers
    head = 2 * shape.vocabulary * shape.hidden
    if kept:
        gate_up = 4 * shape.hidden * shape.intermediate
        again = (shape.layers - kept.mlp) * gate_up
        again += (shape.layers - kept.attention) * 2 * shape.hidden * (shape.query + 2 * shape.key)
        flops = sum(batches) * (2 * layer * shape.layers + again) + learned * 2 * head
        return flops / (gpu.sustained * 1e12 * _FUSED)
    passes = 3 if config.gradient_checkpointing else 2
    rate = gpu.sustained * 1e12 * _PLAIN
    times = (max(passes * layer * n / rate, _LAUNCH * passes / 3) for n in batches)
    return shape.layers * sum(times) + learned * 3 * head / rate


def evaluation_seconds(
    shape: ModelShape, config: TrainingConfig, gpu: Gpu, batches: Sequence[int], learned: int
) -> float:
    """Return the seconds of judging batches once."""
    share = _FUSED if config.fused else _PLAIN
    rate = gpu.sustained * 1e12 * share
    layer = 2 * shape.linear / shape.layers
    times = (max(layer * n / rate, _LAUNCH / 3) for n in batches)
    return shape.layers * sum(times) + learned * 2 * shape.vocabulary * shape.hidden / rate
