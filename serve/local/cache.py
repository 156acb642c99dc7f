"""Keys and values of all running sequences, a row each, written in place."""

from typing import Any

import torch
from torch import Tensor
from transformers import Cache

_BLOCK = 256  # tokens by which the rows grow


class RowCache(Cache):
    """A cache in which every row has a length of its own, so that sequences come and go.

    The running sequences are rows 0 to n - 1, without gaps: attention then reads a view, and
    nothing is padded, packed or copied from step to step.
    """

    def __init__(self, rows: int) -> None:
        super().__init__(layers=[])
        self._rows = rows
        self._stores: dict[tuple[str, int], Tensor] = {}

    def aim(self, first: int, positions: Tensor) -> Tensor:
        """Say which rows the next forward pass writes, and where.

        Args:
            first: The first row; the others follow it.
            positions: Of the new tokens in their sequences, shaped (rows, tokens).

        Returns:
            Which keys each new token attends to, shaped (rows, 1, tokens, keys).
        """
        self._first, self._positions = first, positions
        self._end = int(positions.max()) + 1
        steps = torch.arange(self._end, device=positions.device)
        return (steps <= positions[:, :, None])[:, None]

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        """Write a layer's new keys and values, and return all it has; attention calls this."""
        return (
            self._write(("keys", layer_idx), key_states),
            self._write(("values", layer_idx), value_states),
        )

    def _write(self, name: tuple[str, int], new: Tensor) -> Tensor:
        count, heads, _, size = new.shape
        store = self._stores.get(name, new.new_empty(self._rows, heads, 0, size))
        missing = self._end - store.shape[2]
        if missing > 0:
            more = -(-missing // _BLOCK) * _BLOCK
            # Zeros, because attention also multiplies what it then masks out.
            store = torch.cat([store, new.new_zeros(self._rows, heads, more, size)], dim=2)
            self._stores[name] = store
        rows = torch.arange(self._first, self._first + count, device=new.device)
        store[rows[:, None], :, self._positions] = new.transpose(1, 2)
        return store[self._first : self._first + count, :, : self._end]

    def copy(self, source: int, target: int, length: int) -> None:
        """Put the first tokens that a row holds into another row."""
        for store in self._stores.values():
            store[target, :, :length] = store[source, :, :length]
