"""The sizes of a Llama, or of a family like it, from its configuration or its name."""

import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

FAMILIES = ("llama", "mistral", "qwen2", "qwen3")
"""transformers' model types whose layers differ from Llama's in biases and norms of heads only."""


BILLION = 1_000_000_000
"""Weights from which on a base is trained in 4 bits by default: it would not fit otherwise."""


@dataclass(frozen=True, slots=True)
class ModelShape:
    """A Llama's sizes, in features; `head` is one head's, `tied` shares the embeddings.

    `head_norms`: each head of queries and keys is normalised, as in Qwen 3.
    """

    hidden: int
    intermediate: int
    layers: int
    heads: int
    key_heads: int
    head: int
    vocabulary: int
    tied: bool = True
    head_norms: bool = False

    @property
    def query(self) -> int:
        """Features of all query heads."""
        return self.heads * self.head

    @property
    def key(self) -> int:
        """Features of all key heads; the value heads have as many."""
        return self.key_heads * self.head

    @property
    def linear(self) -> int:
        """Weights of the linear layers of all layers."""
        attention = self.hidden * (2 * self.query + 2 * self.key)
        return self.layers * (attention + 3 * self.hidden * self.intermediate)

    @property
    def read(self) -> int:
        """Input features of the seven linear layers of a layer."""
        return 5 * self.hidden + self.query + self.intermediate

    @property
    def written(self) -> int:
        """Output features of the seven linear layers of a layer."""
        return self.query + 2 * self.key + 2 * self.hidden + 2 * self.intermediate

    @property
    def adapter(self) -> int:
        """Weights of a LoRA adapter of rank 1."""
        return self.layers * (self.read + self.written)

    @property
    def embeddings(self) -> int:
        """Weights of embeddings and head, which stay in 16 bits."""
        return self.vocabulary * self.hidden * (1 if self.tied else 2)


LLAMA_1B = ModelShape(2048, 8192, 16, 32, 8, 64, 128_256)
LLAMA_3B = ModelShape(3072, 8192, 28, 24, 8, 128, 128_256)
LLAMA_8B = ModelShape(4096, 14336, 32, 32, 8, 128, 128_256, tied=False)
LLAMA_70B = ModelShape(8192, 28672, 80, 64, 8, 128, 128_256, tied=False)

POCKET_SHAPE = ModelShape(192, 512, 3, 6, 2, 32, 4096)
SMOLLM2_135M = ModelShape(576, 1536, 30, 9, 3, 64, 49_152)

LLAMAS = {1.0: LLAMA_1B, 3.0: LLAMA_3B, 8.0: LLAMA_8B, 70.0: LLAMA_70B}
"""Shapes of Llama 3 by billions of weights, from the published configurations."""


def read_shape(config: Any) -> ModelShape:
    """Return the shape of a base of one of these families from its transformers configuration."""
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
        head_norms=config.model_type == "qwen3",
    )


def read_folder_shape(folder: Path) -> ModelShape | None:
    """Read the shape of the base in a folder; None if it is of another family."""
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if config.get("model_type") not in FAMILIES:
        return None
    defaults = {"num_key_value_heads": None, "tie_word_embeddings": False}
    return read_shape(SimpleNamespace(**defaults | config))
