"""The keys and values of the running sequences, in one tensor for each layer and kind."""

from typing import Any

import torch
from torch import Tensor

_BLOCK = 256  # tokens by which the caches grow


class LayerCaches:
    """The caches of all layers.

    Args:
        config: That of a Llama.
        rows: How many sequences run at once.

    Attributes:
        tensors: By the name of the graph's input, float32, (rows, heads, room, size).
        room: How many tokens a row can hold.
    """

    def __init__(self, config: Any, rows: int) -> None:
        self.room = 0
        empty = torch.empty(rows, config.num_key_value_heads, 0, config.head_dim)
        layers = range(config.num_hidden_layers)
        self.tensors = {f"{kind}.{i}": empty for i in layers for kind in ("keys", "values")}

    def grow(self, end: int) -> None:
        """Make room for so many tokens."""
        if end <= self.room:
            return
        room = -(-end // _BLOCK) * _BLOCK
        for name, tensor in self.tensors.items():
            self.tensors[name] = self._widen(tensor, room)
        self.room = room

    def _widen(self, tensor: Tensor, room: int) -> Tensor:
        rows, heads, _, size = tensor.shape
        wider = torch.empty(rows, heads, room, size)
        wider[:, :, : self.room] = tensor
        return wider

    def copy_row(self, source: int, target: int, length: int) -> None:
        """Copy the first tokens of a row into another row."""
        for tensor in self.tensors.values():
            tensor[target, :, :length] = tensor[source, :, :length]
