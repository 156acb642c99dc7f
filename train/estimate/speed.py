"""The time of QLoRA of a Llama on a GPU, by its arithmetic.

Large matrix products run at `Gpu.sustained`. On one H200, PEFT's layers reached 35% of that, and
the fast path 53% (RESULTS.md).
"""

from collections.abc import Sequence

from nothing_gpt.hardware.gpus import Gpu
from train.config.training_config import TrainingConfig
from train.estimate.memory import GRAPHED, KeptActivations
from train.estimate.model_shape import ModelShape

_PLAIN, _FUSED, _GRAPHED = 0.35, 0.53, 0.105
"""Shares of the sustained speed: 14,707 tokens/s of 18.6 GFLOP with checkpointing without
padding, 33,549 of 12.5 GFLOP; with CUDA graphs of SmolLM2-135M on an H100, 165,000 of 0.52
over an epoch. Most of its time goes into passes between its small products."""

_GRAPHED_EVALUATION = 0.029
"""The same of SmolLM2's evaluations, which run without graphs: 64 examples took 0.51 s."""

_LAUNCH = 0.023
"""Seconds of Python and kernel launches for each micro-batch and layer, with checkpointing. A
micro-batch of four examples took 0.55 to 0.7 s for 28 layers, however many tokens it had."""


def training_seconds(
    shape: ModelShape,
    config: TrainingConfig,
    gpu: Gpu,
    batches: Sequence[int],
    learned: int,
    kept: KeptActivations | None,
) -> float:
    """Return the seconds of training on batches.

    Args:
        shape: The shape of the base.
        config: The run's configuration.
        gpu: The GPU.
        batches: Tokens of each micro-batch, with padding if there is any.
        learned: Tokens that are learned from, in all batches together.
        kept: The activations that the fast path keeps; None for the plain path.
    """
    layer = 2 * shape.linear / shape.layers
    head = 2 * shape.vocabulary * shape.hidden
    if kept:
        gate_up = 4 * shape.hidden * shape.intermediate
        recomputed = (shape.layers - kept.mlp) * gate_up
        qkv = 2 * shape.hidden * (shape.query + 2 * shape.key)
        recomputed += (shape.layers - kept.attention) * qkv
        flops = sum(batches) * (2 * layer * shape.layers + recomputed) + learned * 2 * head
        share = _GRAPHED if shape.linear < GRAPHED else _FUSED
        return flops / (gpu.sustained * 1e12 * share)
    passes = 3 if config.gradient_checkpointing else 2
    rate = gpu.sustained * 1e12 * _PLAIN
    times = (max(passes * layer * n / rate, _LAUNCH * passes / 3) for n in batches)
    return shape.layers * sum(times) + learned * 3 * head / rate


def evaluation_cost(
    config: TrainingConfig, *, evaluated: float, trained: float, graphed: bool
) -> float:
    """Return the time of an evaluation, relative to that of all steps of a run.

    Args:
        config: The run's configuration.
        evaluated: Tokens of the evaluation.
        trained: Tokens of all steps.
        graphed: Whether the steps run as CUDA graphs.
    """
    return _weigh_evaluated_token(config, graphed=graphed) * evaluated / max(trained, 1)


def _weigh_evaluated_token(config: TrainingConfig, *, graphed: bool) -> float:
    """Return the time of a token that is evaluated, relative to one that is trained.

    Graphs make training faster, and not evaluations. Without them two cores took 0.48 to 0.54 for
    SmolLM2-135M by the fast path, and an H100 2.2 with them (RESULTS.md).
    """
    if graphed:
        return 2.2
    if config.fused:
        return 0.53
    return 1 / 3 if config.gradient_checkpointing else 1 / 2


def evaluation_seconds(
    shape: ModelShape, config: TrainingConfig, gpu: Gpu, batches: Sequence[int], learned: int
) -> float:
    """Return the seconds of one evaluation of batches."""
    share = _FUSED if config.fused else _PLAIN
    if config.fused and shape.linear < GRAPHED:
        share = _GRAPHED_EVALUATION
    rate = gpu.sustained * 1e12 * share
    layer = 2 * shape.linear / shape.layers
    times = (max(layer * n / rate, _LAUNCH / 3) for n in batches)
    return shape.layers * sum(times) + learned * 2 * shape.vocabulary * shape.hidden / rate
