"""The memory of QLoRA of a Llama, in bytes, by arithmetic.

Weights, adapters and activations are counted from shapes. Three figures are measured instead, on
one H200 with random weights of Llama 3.2 3B (benchmarks/train/memory.py): what PEFT's layers keep
for the backward pass, how much more torch reserves than it allocates, and the usable share of the
GPU's memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from train.config.training_config import TrainingConfig
from train.estimate.model_shape import ModelShape

GIB = 2**30

FRAGMENTATION = 1.16
"""The largest ratio of reserved to allocated memory, over 18 measured configurations."""

TILE = 1024
"""Tokens whose logits are in memory at once."""

KEPT_PER_FEATURE = 6.85
"""Bytes that PEFT's layers keep for the backward pass, for each token and input feature of a
layer's seven linear layers; measured as 182 kB a layer and token without checkpointing."""

WORKING_FACTOR = 1.25
"""Memory of the layer whose gradients are computed, relative to what it keeps."""

_TRAINING_LOGIT = 12
"""Bytes for each logit in training with full logits: bf16, float32, and gradients of both."""

_EVALUATION_LOGIT = 26
"""Bytes for each logit in the evaluations of the reference's report, fitted to the two that ran
out of memory. The report does not state what its library kept of a batch (entropies, accuracies,
earlier logits)."""


def static_bytes(shape: ModelShape, rank: int, *, fused: bool) -> int:
    """Return the bytes of weights in NF4, embeddings, and adapters.

    The adapters are in float32, with gradients and AdamW's moments. The fast path also unpacks
    the scale of each 64 weights from one byte to four, and has bf16 copies of the adapters, in
    which B is block-diagonal.
    """
    weights = shape.linear // 2 + shape.linear // 64 + 2 * shape.embeddings
    adapters = 16 * rank * shape.adapter
    if not fused:
        return weights + adapters
    a = 2 * shape.hidden + shape.query + shape.intermediate
    b = 3 * (shape.query + 2 * shape.key) + 2 * shape.hidden + 4 * shape.intermediate
    return weights + adapters + 4 * shape.linear // 64 + 2 * rank * shape.layers * (a + b)


@dataclass(frozen=True, slots=True)
class FusedCosts:
    """The bytes of a batch on the fast path.

    Attributes:
        always: Kept of all layers together in any case.
        working: The largest step's temporary memory.
        attention: Kept of a layer if its attention is not computed again.
        mlp: Kept of a layer if its gate and up projections are not computed again.
        norms: Kept of a layer if its normalised inputs are not computed again.
    """

    always: int
    working: int
    attention: int
    mlp: int
    norms: int

    def choose_kept(self, layers: int, free: int) -> "KeptActivations":
        """Fill `free` bytes with the activations that save most time for each byte."""
        free -= self.always + self.working
        attention = max(0, min(layers, free // self.attention))
        free -= attention * self.attention
        mlp = max(0, min(layers, free // self.mlp))
        free -= mlp * self.mlp
        norms = max(0, min(layers, free // self.norms))
        return KeptActivations(attention, mlp, norms, left=free - norms * self.norms)

    def count(self, kept: "KeptActivations") -> int:
        """Return the peak bytes of a batch."""
        layers = kept.attention * self.attention + kept.mlp * self.mlp + kept.norms * self.norms
        return self.always + self.working + layers


@dataclass(frozen=True, slots=True)
class KeptActivations:
    """The number of layers that keep each kind of activation, and the bytes left."""

    attention: int
    mlp: int
    norms: int
    left: int


def count_fused_costs(shape: ModelShape, rank: int, tokens: int) -> FusedCosts:
    """Count the memory of a batch on the fast path, in bf16.

    `always` is two inputs of each layer, and the vectors between A and B of its seven adapters,
    taken four times to cover what is not counted.
    """
    unit = 2 * tokens
    step = 7 * shape.intermediate + 3 * shape.hidden
    return FusedCosts(
        always=unit * (2 * shape.hidden + 28 * rank) * shape.layers,
        working=max(unit * step, unit * shape.hidden + 4 * TILE * shape.vocabulary),
        attention=unit * (2 + shape.head_norms) * (shape.query + shape.key),
        mlp=unit * 2 * shape.intermediate,
        norms=unit * 2 * shape.hidden,
    )


RESERVE = 2**29
"""Bytes that the fast path leaves free for what is not counted."""

USABLE = 0.96
"""Share of the memory that the fast path uses; in a failed run, 0.6 of 22 GiB were fragmented."""

UNPACKED = 4
"""Free bytes for each weight from which on the fast path keeps the weights in bf16 (2 bytes)."""


GRAPHED = 500_000_000
"""Weights of the linear layers below which the fast path runs CUDA graphs. Launching a layer takes
about 6 ms in both passes, as long as the kernels of a 1B model's layer over 13,000 tokens."""


def training_bytes(
    shape: ModelShape,
    config: TrainingConfig,
    batches: Sequence[int],
    allowed: int,
    *,
    full_logits: bool = False,
) -> int:
    """Return the peak bytes that torch allocates in training.

    Args:
        shape: The shape of the base.
        config: The run's configuration.
        batches: Tokens of each micro-batch, with padding if there is any.
        allowed: Bytes that torch can take; the fast path uses what it gets.
        full_logits: Count the logits of all tokens, as the report's library kept them. TRL's head
            has one tile of them at a time.
    """
    static = static_bytes(shape, config.rank, fused=config.fused)
    tokens = max(batches)
    if config.fused:
        return static + _fused_bytes(shape, config.rank, tokens, allowed - static)
    layer = round(KEPT_PER_FEATURE * shape.read)
    work = round(WORKING_FACTOR * layer)
    kept = shape.layers * (2 * shape.hidden if config.gradient_checkpointing else layer)
    head = _TRAINING_LOGIT * shape.vocabulary if full_logits else 0
    return static + tokens * (kept + max(work, head))


def _fused_bytes(shape: ModelShape, rank: int, tokens: int, free: int) -> int:
    costs = count_fused_costs(shape, rank, tokens)
    kept = costs.choose_kept(shape.layers, free)
    unpacked = 2 * shape.linear if kept.left > UNPACKED * shape.linear else 0
    peak = costs.count(kept)
    # The first batches run without a graph, in memory of their own.
    graphs = peak if shape.linear < GRAPHED and kept.left >= peak else 0
    return peak + graphs + unpacked


def evaluation_bytes(
    shape: ModelShape, config: TrainingConfig, tokens: int, *, full_logits: bool = False
) -> int:
    """Return the peak bytes of evaluating a batch of so many tokens, padding included."""
    static = static_bytes(shape, config.rank, fused=config.fused)
    if config.fused:
        # Up, gate, their product with and without dropout, and the residual stream.
        return static + tokens * 2 * (4 * shape.intermediate + 4 * shape.hidden)
    head = _EVALUATION_LOGIT * shape.vocabulary if full_logits else 0
    return static + tokens * max(round(KEPT_PER_FEATURE * shape.read), head)
