"""The memory of a training on a CPU, in bytes, by arithmetic.

Weights, adapters and what layers keep are counted from shapes. What the process takes besides, and
the bytes of a logit on the plain path, are fitted to peaks of real runs of SmolLM2-135M
(RESULTS.md).
"""

from collections.abc import Sequence

from train.config.training_config import TrainingConfig
from train.data.lengths import Length, Lengths, count_batches
from train.estimate.memory import GIB, KEPT_PER_FEATURE, WORKING_FACTOR
from train.estimate.model_shape import BILLION, ModelShape

_PROCESS = round(0.7 * GIB)
"""Python, the libraries and the examples."""

PRODUCT_CACHES = round(0.8 * GIB)
"""What torch's caches of products in bf16 hold after fifty steps: SmolLM2 by `laptop` took 2.2 GiB
in two steps of the longest examples, and 3.0 in a run of 100."""

_BLOCK = 256
"""Queries of a block of the fast path's attention, which keeps its probabilities."""


def cpu_bytes(
    shape: ModelShape, config: TrainingConfig, lengths: Lengths, *, fast_bf16: bool
) -> int:
    """Return the peak bytes of a process that trains on a CPU.

    Args:
        shape: The shape of the base.
        config: The run's configuration.
        lengths: The lengths of its examples.
        fast_bf16: Whether this CPU computes in bf16; NF4 is always computed in float32.
    """
    large = shape.linear + shape.embeddings >= BILLION
    quantized = config.quantize == "nf4" or (config.quantize == "auto" and large)
    element = 2 if fast_bf16 and not quantized else 4
    linear = shape.linear // 2 + shape.linear // 64 if quantized else element * shape.linear
    static = _PROCESS + linear + element * shape.embeddings + 16 * config.rank * shape.adapter
    static += PRODUCT_CACHES if element == 2 else 0
    evaluated = max(count_batches(lengths.held_out, config.eval_batch, padded=not config.fused))
    if config.fused:
        # Weights that are used together are copied side by side; the file stays mapped. The
        # memory of training is not given back before an evaluation.
        static += linear
        kept = _fused_bytes(shape, config, lengths.training, element)
        return static + kept + element * evaluated * 4 * (shape.intermediate + shape.hidden)
    trained = max(count_batches(lengths.training, config.train_batch, padded=True))
    layer = KEPT_PER_FEATURE * shape.read * element / 2
    saved = element * shape.hidden if config.gradient_checkpointing else layer
    training = shape.layers * saved + (1 + WORKING_FACTOR) * layer
    # 24 bytes a logit in bf16 and 38 in float32: copies in both types and their gradients.
    training += (10 + 7 * element) * shape.vocabulary
    evaluation = layer + 10 * shape.vocabulary
    return static + round(max(trained * training, evaluated * evaluation))


def _fused_bytes(
    shape: ModelShape, config: TrainingConfig, lengths: Sequence[Length], element: int
) -> int:
    """Return what all layers of the fast path keep of the largest batch."""
    tokens = max(count_batches(lengths, config.train_batch, padded=False))
    longest = max(length.whole for length in lengths)
    stream = 2 * shape.hidden + 7 * config.rank
    attention = (2 + shape.head_norms) * (shape.query + shape.key)
    shares = shape.heads * (longest + _BLOCK) // 2
    mlp = 2 * shape.intermediate + 2 * shape.hidden
    return element * tokens * shape.layers * (stream + attention + shares + mlp)
