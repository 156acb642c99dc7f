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

    def __init__(self, rows: int, dtype: torch.dtype) -> None:
        super().__init__(layers=[])
        self._size, self._dtype = rows, dtype
        self._stores: dict[int, list[Tensor]] = {}

    def aim(self, first: int, positions: Tensor) -> Tensor:
        """Say which rows the next forward pass writes, and where.

        Args:
            first: The first row; the others follow it.
            positions: Of the new tokens in their sequences, shaped (rows, tokens).

        Returns:
            What to add to attention's scores: 0, and -inf for keys that a new token must not
            see. Shaped (rows, 1, tokens, keys).
        """
        self._rows, self._end = slice(first, first + len(positions)), int(positions.max()) + 1
        steps = torch.arange(self._end, device=positions.device)
        rows = torch.arange(first, self._rows.stop, device=positions.device)
        self._places = (rows[:, None], slice(None), positions)
        hidden = (steps > positions[:, :, None])[:, None]
        return torch.zeros(hidden.shape, dtype=self._dtype, device=positions.device).masked_fill_(
            hidden, -torch.inf
        )

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        """Write a layer's new keys and values, and return all it has; attention calls this."""
        new = key_states, value_states
        stores = self._stores.setdefault(layer_idx, [n.new_empty(0, 0, 0, 0) for n in new])
        for at, part in enumerate(new):
            if self._end > stores[at].shape[2]:
                stores[at] = self._grow(stores[at], part)
            stores[at][self._places] = part.transpose(1, 2)
        keys, values = (store[self._rows, :, : self._end] for store in stores)
        return keys, values

    def _grow(self, store: Tensor, part: Tensor) -> Tensor:
        # Zeros, because attention also multiplies what it then masks out.
        end = -(-self._end // _BLOCK) * _BLOCK
        grown = part.new_zeros(self._size, part.shape[1], end, part.shape[3])
        if store.numel():
            grown[:, :, : store.shape[2]] = store
        return grown

    def copy(self, source: int, target: int, length: int) -> None:
        """Put the first tokens that a row holds into another row."""
        for store in self._stores.values():
            for part in store:
                part[target, :, :length] = part[source, :, :length]
