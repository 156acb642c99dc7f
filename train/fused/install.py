"""Putting the fused layers into a PEFT model, and filling the memory that there is."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from train.fused import attention
from train.fused.layer import Layer, Norm
from train.fused.projection import Group

_RESERVE = 2**29
"""Bytes left for what is not counted: the head's tiles, fragmentation, libraries."""


def is_fusible(model: nn.Module) -> bool:
    """Whether the model is a Llama whose layers are as the fused ones assume."""
    config = getattr(model, "config", None)
    return (
        getattr(config, "model_type", None) == "llama"
        and not getattr(config, "attention_bias", True)
        and not getattr(config, "mlp_bias", True)
        and getattr(config, "hidden_act", None) == "silu"
    )


def fuse(model: Any) -> list[Layer]:
    """Let a PEFT Llama run through the fused layers; batches must be padding-free.

    On a GPU each batch decides anew what they keep for the backward pass, by the memory that
    torch may take. Returns the layers.

    Args:
        model: A `PeftModel` with one LoRA adapter on every linear layer.
    """
    attention.register()
    llama = model.get_base_model().model
    model.get_base_model().set_attn_implementation(attention.NAME)
    layers = [_read(layer) for layer in llama.layers]
    for module, layer in zip(llama.layers, layers, strict=True):
        module.forward = _forward(module, layer)
    llama.norm.forward = _final_norm(llama.norm)
    llama.register_forward_pre_hook(_Memory(layers, model).plan, with_kwargs=True)
    return layers


def _allowed_bytes() -> int | None:
    """Return what torch's allocator may take of the GPU; None without one."""
    if not torch.cuda.is_available():
        return None
    whole = torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory
    return int(whole * torch.cuda.get_per_process_memory_fraction())


def _read(layer: Any) -> Layer:
    own, mlp = layer.self_attn, layer.mlp
    config = own.config
    return Layer(
        qkv=Group((own.q_proj, own.k_proj, own.v_proj)),
        output=Group((own.o_proj,)),
        gate_up=Group((mlp.gate_proj, mlp.up_proj)),
        down=Group((mlp.down_proj,)),
        first_norm=layer.input_layernorm,
        second_norm=layer.post_attention_layernorm,
        head=own.head_dim,
        heads=config.num_attention_heads,
        key_heads=config.num_key_value_heads,
    )


def _forward(module: nn.Module, layer: Layer) -> Callable[..., Tensor]:
    def forward(
        hidden_states: Tensor,
        *,
        position_embeddings: tuple[Tensor, Tensor],
        cu_seq_lens_q: Tensor,
        max_length_q: int,
        **_: Any,
    ) -> Tensor:
        cos, sin = (x[0] for x in position_embeddings)
        p = layer.qkv.dropout if module.training else 0.0
        # The steps choose their types themselves.
        with torch.autocast(hidden_states.device.type, enabled=False):
            out = layer.run(hidden_states[0], cos, sin, cu_seq_lens_q, max_length_q, p)
        return out[None]

    return forward


def _final_norm(module: Any) -> Callable[[Tensor], Tensor]:
    def forward(hidden_states: Tensor) -> Tensor:
        out: Tensor = Norm.apply(hidden_states[0], module.weight, module.variance_epsilon)  # type: ignore[no-untyped-call]
        return out[None]

    return forward


class _Memory:
    """Decides before each batch which layers keep their activations; the rest computes them again.

    The last layers keep theirs: they are the first to give them back.
    """

    def __init__(self, layers: list[Layer], model: nn.Module) -> None:
        self._layers = layers
        self._trainable = [p for p in model.parameters() if p.requires_grad]
        self._least = 0

    def plan(self, module: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Set `keep_attention` and `keep_mlp` of every layer for a batch of this size."""
        allowed = _allowed_bytes()
        if allowed is None or not torch.is_grad_enabled():
            return
        ids = named["input_ids"] if "input_ids" in named else arguments[0]
        config = module.config
        unit = ids.numel() * torch.finfo(module.dtype).bits // 8
        layer = self._layers[0]
        attention_bytes = unit * (sum(layer.widths) + layer.widths[0])
        mlp_bytes = unit * 2 * config.intermediate_size
        always = unit * 2 * config.hidden_size * len(self._layers)
        working = unit * (7 * config.intermediate_size + 3 * config.hidden_size)
        free = allowed - self._held() - always - working - _RESERVE
        for layer in reversed(self._layers):
            layer.keep_attention = free >= attention_bytes
            free -= attention_bytes if layer.keep_attention else 0
        for layer in reversed(self._layers):
            layer.keep_mlp = free >= mlp_bytes
            free -= mlp_bytes if layer.keep_mlp else 0

    def _held(self) -> int:
        """Bytes of weights, gradients and optimizer states, also of those not made yet."""
        sizes = [(p.numel() * p.element_size(), p.grad is None) for p in self._trainable]
        held = torch.cuda.memory_allocated()
        self._least = self._least or held + 2 * sum(size for size, _ in sizes)
        return max(held, self._least) + sum(size for size, unmade in sizes if unmade)
