"""Llama on a CPU by ONNX Runtime, with the adapters merged into packed weights.

Transformers' own forward pass needs 48 ms a token for a Llama of 135 million parameters on two
cores, most of it for calls and for bf16 products of one row.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import embedding

from serve.local_engine.cpu.layer_caches import LayerCaches
from serve.local_engine.cpu.merged_model import MergedModel
from serve.local_engine.cpu.packed_weights import GROUP

_AT_ONCE = 512
"""Tokens that are read at once: attention holds a score for each of them and each in the cache."""


def is_supported(network: Any, adapters: Sequence[str]) -> bool:
    """Whether a model with its PEFT adapters is one that this decoder computes."""
    config = network.config
    plain = all(
        not (each.use_dora or each.modules_to_save or each.bias != "none")
        for name, each in getattr(network, "peft_config", {}).items()
        if name in adapters
    )
    return (
        plain
        and config.model_type == "llama"
        and network.dtype == torch.bfloat16
        and network.device.type == "cpu"
        and not hasattr(network.model.embed_tokens, "get_base_layer")
        and not getattr(config, "attention_bias", False)
        and not getattr(config, "mlp_bias", False)
        and config.hidden_act == "silu"
        and config.rope_parameters.get("rope_type") == "default"
        and config.head_dim % 16 == 0
        and config.hidden_size % GROUP == config.intermediate_size % GROUP == 0
    )


class LlamaDecoder:
    """A Llama, alone and with each of its adapters, and the cache of the running sequences.

    A model with an adapter is loaded when it is first used, in a second for 135 million
    parameters, and has weights of its own: a byte and a sixteenth for each parameter.

    Args:
        network: Transformers' LlamaForCausalLM, whose linear layers may be PEFT's.
        rows: How many sequences run at once.
        pack: Whether the weights are packed in 8 bits; else they are in float32.
    """

    def __init__(self, network: Any, rows: int, *, pack: bool = True) -> None:
        self._network, self._pack, self._threads = network, pack, torch.get_num_threads()
        self._embeddings = network.model.embed_tokens.weight.detach()
        self._models: dict[str | None, MergedModel] = {}
        self._caches = LayerCaches(network.config, rows)

    @property
    def precision(self) -> str:
        """What the weights are in: int8 or float32."""
        return "int8" if self._pack else "float32"

    def forward(
        self,
        ids: Tensor,
        positions: Tensor,
        first: int,
        names: Sequence[str | None],
        *,
        after_each: bool = False,
    ) -> Tensor:
        """Read tokens into the cache and return the logits after the last ones.

        Args:
            ids: The new tokens, (rows, tokens).
            positions: Where in their sequences they are, (rows, tokens).
            first: The first row; the others follow it.
            names: The adapter of each row, None for the base.
            after_each: Return the logits after each token of a single row.

        Returns:
            In float32, (rows, vocabulary) or (tokens, vocabulary).
        """
        self._caches.grow(int(positions.max()) + 1)
        parts, row = [], 0
        for name, group in groupby(names):
            rows = slice(row, row + len([*group]))
            model = self._find_model(name)
            for start in range(0, ids.shape[1], _AT_ONCE):
                part = rows, slice(start, start + _AT_ONCE)
                embedded = embedding(ids[part], self._embeddings).float()
                logits = model.forward(
                    embedded, positions[part], self._caches, first + row, after_each=after_each
                )
                if after_each or start + _AT_ONCE >= ids.shape[1]:
                    parts.append(logits)
            row = rows.stop
        return torch.cat(parts) if len(parts) > 1 else parts[0]

    def _find_model(self, name: str | None) -> MergedModel:
        if name not in self._models:
            self._models[name] = MergedModel(
                self._network, name, pack=self._pack, threads=self._threads
            )
        return self._models[name]

    def copy_row(self, source: int, target: int, length: int) -> None:
        """Copy the first tokens of a row into another row."""
        self._caches.copy_row(source, target, length)
