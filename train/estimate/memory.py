"""The bytes that QLoRA of a Llama takes, by arithmetic: what is kept, and what a moment needs.

Weights, adapters and activations are counted from shapes. Three figures are not counted but
measured, on one H200 with random weights of Llama 3.2 3B (benchmarks/train_memory.py): what PEFT's
layers keep, how much more torch reserves than it allocates, and the share of the card that fills.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from train.config.training_config import TrainingConfig

GIB = 2**30

FRAGMENTATION = 1.16
"""Reserved over allocated memory at most, of 18 configurations measured."""

TILE = 1024
"""Tokens whose logits the heads hold at once."""

_KEPT = 6.85
"""Bytes that PEFT's layers keep of a token, for each feature that one of a layer's seven linear
layers reads; measured as 182 kB a layer and token without checkpointing."""

_WORK = 1.25
"""The same in the layer that is at work, with its gradients."""

_LOGIT = 12
"""Bytes a logit in training with full logits: bf16, float32, and the gradients of both."""

_REPORT_EVALUATION = 26
"""Bytes a logit in the report's evaluations, fitted to the two that ran out of memory; what its
library kept of a batch (entropies, accuracies, the logits before) it does not say."""


@dataclass(frozen=True, slots=True)
class ModelShape:
    """A Llama's sizes, in features."""

    hidden: int
    intermediate: int
    layers: int
    heads: int
    key_heads: int
    head: int
    vocabulary: int
    tied: bool = True

    @property
    def query(self) -> int:
        """Features of all queries."""
        return self.heads * self.head

    @property
    def key(self) -> int:
        """Features of all keys; of all values as many."""
        return self.key_heads * self.head

    @property
    def linear(self) -> int:
        """Weights of all linear layers."""
        attention = self.hidden * (2 * self.query + 2 * self.key)
        return self.layers * (attention + 3 * self.hidden * self.intermediate)

    @property
    def read(self) -> int:
        """Features that the seven linear layers of a layer read."""
        return 5 * self.hidden + self.query + self.intermediate

    @property
    def written(self) -> int:
        """Features that they write."""
        return self.query + 2 * self.key + 2 * self.hidden + 2 * self.intermediate

    @property
    def adapter(self) -> int:
        """Weights of LoRA of rank 1."""
        return self.layers * (self.read + self.written)

    @property
    def embeddings(self) -> int:
        """Weights that stay in 16 bits."""
        return self.vocabulary * self.hidden * (1 if self.tied else 2)


LLAMA_1B = ModelShape(2048, 8192, 16, 32, 8, 64, 128_256)
LLAMA_3B = ModelShape(3072, 8192, 28, 24, 8, 128, 128_256)
LLAMA_8B = ModelShape(4096, 14336, 32, 32, 8, 128, 128_256, tied=False)
LLAMA_70B = ModelShape(8192, 28672, 80, 64, 8, 128, 128_256, tied=False)

KNOWN = {1.0: LLAMA_1B, 3.0: LLAMA_3B, 8.0: LLAMA_8B, 70.0: LLAMA_70B}
"""Llama 3's shapes by their billions of weights, from their published configurations."""


def read_shape(config: Any) -> ModelShape:
    """Take the shape from a Llama's configuration, as transformers has it."""
    heads = int(config.num_attention_heads)
    return ModelShape(
        hidden=config.hidden_size,
        intermediate=config.intermediate_size,
        layers=config.num_hidden_layers,
        heads=heads,
        key_heads=config.num_key_value_heads or heads,
        head=getattr(config, "head_dim", None) or config.hidden_size // heads,
        vocabulary=config.vocab_size,
        tied=bool(config.tie_word_embeddings),
    )


def read_shape_of(folder: Path) -> ModelShape | None:
    """Read a model folder's shape, if there is a Llama in it."""
    path = folder / "config.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if found.get("model_type") != "llama":
        return None
    defaults = {"num_key_value_heads": None, "tie_word_embeddings": False}
    return read_shape(SimpleNamespace(**defaults | found))


def static_bytes(shape: ModelShape, rank: int, *, fused: bool) -> int:
    """Weights in NF4, embeddings, and adapters in float32 with gradients and AdamW's moments.

    The fast path unpacks the scales of the weights, one of 64, from one byte to four, and has
    copies of the adapters in bf16, of which those of B are block-diagonal.
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
    """What a batch takes on the fast path, in bytes; the last three are a layer's."""

    always: int
    working: int
    attention: int
    mlp: int
    norms: int

    def keep(self, layers: int, free: int) -> "KeptActivations":
        """Fill `free` bytes with what saves most by the byte."""
        free -= self.always + self.working
        attention = max(0, min(layers, free // self.attention))
        free -= attention * self.attention
        mlp = max(0, min(layers, free // self.mlp))
        free -= mlp * self.mlp
        norms = max(0, min(layers, free // self.norms))
        return KeptActivations(attention, mlp, norms, left=free - norms * self.norms)

    def count(self, kept: "KeptActivations") -> int:
        """Return the bytes at the peak of a batch."""
        layers = kept.attention * self.attention + kept.mlp * self.mlp + kept.norms * self.norms
        return self.always + self.working + layers


@dataclass(frozen=True, slots=True)
class KeptActivations:
    """How many layers keep what for their backward passes, and the bytes that are left."""

    attention: int
    mlp: int
    norms: int
    left: int


def fused_costs(shape: ModelShape, rank: int, tokens: int) -> FusedCosts:
    """Count what `train.fused` keeps of a batch in bf16, and what its largest step needs.

    Always: two inputs of a layer, and what is between A and B of its seven adapters, taken four
    times for what is not counted.
    """
    unit = 2 * tokens
    step = 7 * shape.intermediate + 3 * shape.hidden
    return FusedCosts(
        always=unit * (2 * shape.hidden + 28 * rank) * shape.layers,
        working=max(unit * step, unit * shape.hidden + 4 * TILE * shape.vocabulary),
        attention=unit * (2 * shape.query + 2 * shape.key),
        mlp=unit * 2 * shape.intermediate,
        norms=unit * 2 * shape.hidden,
    )


RESERVE = 2**29
"""Bytes that the fast path leaves for what is not counted."""

USABLE = 0.96
"""Share of the memory that fragmentation leaves it: 0.6 of 22 GiB were lost where it failed."""


UNPACKED = 4
"""Bytes a weight that must be left before the fast path keeps the weights in bf16, at two."""


def training_bytes(
    shape: ModelShape,
    config: TrainingConfig,
    batches: Sequence[int],
    allowed: int,
    *,
    full_logits: bool = False,
) -> int:
    """Return the peak that torch allocates in training.

    Args:
        shape: The base's.
        config: The run's.
        batches: Tokens of each micro-batch, with padding where there is any.
        allowed: Bytes that torch may take; the fast path makes use of what it gets.
        full_logits: As the report's library had it; TRL's head holds a tile of them.
    """
    static = static_bytes(shape, config.rank, fused=config.fused)
    tokens = max(batches)
    if config.fused:
        return static + _fused_bytes(shape, config.rank, tokens, allowed - static)
    layer = round(_KEPT * shape.read)
    work = round(_WORK * layer)
    kept = shape.layers * (2 * shape.hidden if config.gradient_checkpointing else layer)
    head = _LOGIT * shape.vocabulary if full_logits else 0
    return static + tokens * (kept + max(work, head))


def _fused_bytes(shape: ModelShape, rank: int, tokens: int, free: int) -> int:
    costs = fused_costs(shape, rank, tokens)
    kept = costs.keep(shape.layers, free)
    unpacked = 2 * shape.linear if kept.left > UNPACKED * shape.linear else 0
    return costs.count(kept) + unpacked


def evaluation_bytes(
    shape: ModelShape, config: TrainingConfig, tokens: int, *, full_logits: bool = False
) -> int:
    """Return the peak of judging a batch of so many tokens, with padding where there is any."""
    static = static_bytes(shape, config.rank, fused=config.fused)
    if config.fused:  # up, gate, their product with and without dropout, and the residual stream
        return static + tokens * 2 * (4 * shape.intermediate + 4 * shape.hidden)
    head = _REPORT_EVALUATION * shape.vocabulary if full_logits else 0
    return static + tokens * max(round(_KEPT * shape.read), head)
