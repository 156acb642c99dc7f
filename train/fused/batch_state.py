"""What the fused layers need anew for each batch, and their use of free memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from train.estimate.memory import RESERVE, UNPACKED, USABLE, KeptActivations, count_fused_costs
from train.estimate.model_shape import ModelShape, read_shape
from train.fused.layer import Layer
from train.fused.projection import copy_adapters


class BatchState:
    """State that is new for each batch: seeds, copies of the adapters, kept activations.

    Nothing is prepared for a batch that is not packed. The last layers are the ones that keep
    activations, because they free them first.
    """

    def __init__(self, layers: list[Layer], model: Any) -> None:
        self._layers = layers
        self._groups = [group for layer in layers for group in layer.groups]
        self._config = model.get_base_model().config
        self._minimum = 0
        self._pooled = 0
        self._fixed = False
        self.is_packed = True
        self.trainable: list[nn.Parameter] = [p for p in model.parameters() if p.requires_grad]
        self.seeds = torch.empty(0)

    def prepare(self, module: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Prepare a batch, before the model runs."""
        self.is_packed = named.get("cu_seq_lens_q") is not None
        if not self.is_packed:
            return
        like = module.embed_tokens.weight
        copy_adapters(self._groups, like)
        if self._fixed:
            return
        self.seeds = self.draw_seeds()
        if like.is_cuda and torch.is_grad_enabled():
            ids = named["input_ids"] if "input_ids" in named else arguments[0]
            self._choose_kept(ids.numel())

    def draw_seeds(self) -> Tensor:
        """Draw the seeds of a batch's dropouts: four int32 each.

        Compiled kernels need inputs aligned to 16 bytes.
        """
        shape, device = (len(self._layers), 4, 4), self.trainable[0].device
        return torch.randint(2**31 - 1, shape, dtype=torch.int32, device=device)

    @contextmanager
    def fixed(self, seeds: Tensor) -> Iterator[list[Tensor]]:
        """Use these seeds, and keep what was chosen last, while a graph is captured.

        Yields:
            What to differentiate by in place of `trainable`: tensors over the same memory. The
            parameters themselves can belong to an earlier backward pass, or to torch's DDP, and
            their gradients then to another stream than the captured one.
        """
        aliases = [p.detach().requires_grad_() for p in self.trainable]
        by_parameter = dict(zip(map(id, self.trainable), aliases, strict=True))
        originals = [group.adapters for group in self._groups]
        self.seeds, self._fixed = seeds, True
        for group in self._groups:
            group.adapters = [by_parameter[id(p)] for p in group.adapters]
        try:
            yield aliases
        finally:
            self._fixed = False
            for group, adapters in zip(self._groups, originals, strict=True):
                group.adapters = adapters

    def has_room(self, tokens: int) -> bool:
        """Return whether graphs can have memory for the activations of a batch, and take it.

        The layers then keep what they keep of such a batch outside graphs.
        """
        kept = self._choose_kept(tokens)
        needed = count_fused_costs(*self._shape, tokens).count(kept) - self._pooled
        if needed > kept.left:
            return False
        self._pooled += max(needed, 0)
        return True

    @property
    def _shape(self) -> tuple[ModelShape, int]:
        return read_shape(self._config), self._layers[0].down.adapters[0].shape[0]

    def _choose_kept(self, tokens: int) -> KeptActivations:
        """Choose what each layer keeps of a batch."""
        shape, rank = self._shape
        costs = count_fused_costs(shape, rank, tokens)
        free = int(_allowed_bytes() * USABLE) - RESERVE - self._static_bytes() - self._pooled
        kept = costs.choose_kept(len(self._layers), free)
        for position, layer in enumerate(reversed(self._layers)):
            layer.keep_attention = position < kept.attention
            layer.keep_mlp = position < kept.mlp
            layer.keep_norms = position < kept.norms
        if kept.left > UNPACKED * shape.linear:
            for group in self._groups:
                group.keep_unpacked()
        return kept

    def _static_bytes(self) -> int:
        """Return the bytes of weights, gradients and optimiser states, also of future ones."""
        sizes = [(p.numel() * p.element_size(), p.grad is None) for p in self.trainable]
        allocated = torch.cuda.memory_allocated()
        self._minimum = self._minimum or allocated + 2 * sum(size for size, _ in sizes)
        return max(allocated, self._minimum) + sum(size for size, missing in sizes if missing)


def _allowed_bytes() -> int:
    """Return the bytes of the GPU that torch's allocator can take."""
    device = torch.cuda.current_device()
    total = int(torch.cuda.get_device_properties(device).total_memory)
    share = float(torch.cuda.get_per_process_memory_fraction())
    return int(total * share)
