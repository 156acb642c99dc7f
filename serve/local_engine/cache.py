"""The keys and values of all running sequences, one row for each, written in place."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import Cache

_BLOCK = 256  # tokens by which the rows grow


class RowCache(Cache):
    """A KV cache whose rows have different lengths, so that sequences can come and go.

    The running sequences are rows 0 to n - 1, without gaps. So attention reads a view, and nothing
    is padded, packed or copied between steps.
    """

    def __init__(self, rows: int, dtype: torch.dtype) -> None:
        super().__init__(layers=[])
        self._row_count, self._dtype = rows, dtype
        self._stored: dict[int, list[Tensor]] = {}

    def prepare(
        self, first_row: int, positions: Tensor, windows: Sequence[int | None] = (None,)
    ) -> list[Tensor]:
        """Set which rows and positions the next forward pass writes.

        Args:
            first_row: The first of the rows, which are consecutive.
            positions: The positions of the new tokens in their sequences, shaped (rows, tokens).
            windows: How many tokens back layers see, themselves included; None is all of them.

        Returns:
            For each window the attention mask to add to the scores: 0, or -inf for keys that a new
            token must not see. Shaped (rows, 1, tokens, keys).
        """
        self._rows = slice(first_row, first_row + len(positions))
        self._end = int(positions.max()) + 1
        keys = torch.arange(self._end, device=positions.device)
        rows = torch.arange(first_row, self._rows.stop, device=positions.device)
        self._written = (rows[:, None], slice(None), positions)
        masks = []
        for window in windows:
            hidden = keys > positions[:, :, None]
            if window is not None:
                hidden |= keys <= positions[:, :, None] - window
            mask = torch.zeros(hidden.shape, dtype=self._dtype, device=positions.device)
            masks.append(mask.masked_fill_(hidden, -torch.inf)[:, None])
        return masks

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        """Write a layer's new keys and values, and return all of them; attention calls this."""
        new = key_states, value_states
        stored = self._stored.setdefault(layer_idx, [n.new_empty(0, 0, 0, 0) for n in new])
        for i, states in enumerate(new):
            if self._end > stored[i].shape[2]:
                stored[i] = self._grow(stored[i], states)
            stored[i][self._written] = states.transpose(1, 2)
        keys, values = (tensor[self._rows, :, : self._end] for tensor in stored)
        return keys, values

    def _grow(self, tensor: Tensor, states: Tensor) -> Tensor:
        # Zeros, because attention also multiplies the values that it masks out.
        end = -(-self._end // _BLOCK) * _BLOCK
        grown = states.new_zeros(self._row_count, states.shape[1], end, states.shape[3])
        if tensor.numel():
            grown[:, :, : tensor.shape[2]] = tensor
        return grown

    def copy_row(self, source: int, target: int, length: int) -> None:
        """Copy the first `length` tokens of a row to another row."""
        for stored in self._stored.values():
            for tensor in stored:
                tensor[target, :, :length] = tensor[source, :, :length]
