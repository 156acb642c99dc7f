"""Installation of the fused layers in a PEFT model, and their use of free memory."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from train.estimate.memory import RESERVE, UNPACKED, USABLE, count_fused_costs
from train.estimate.model_shape import read_shape
from train.fused import attention
from train.fused.head import completion_loss
from train.fused.layer import Layer, Norm, PackedBatch
from train.fused.projection import ProjectionGroup, copy_adapters


def is_fusible(model: nn.Module) -> bool:
    """Return whether the model is a Llama with layers that the fused ones can replace."""
    config = getattr(model, "config", None)
    return (
        getattr(config, "model_type", None) == "llama"
        and not getattr(config, "attention_bias", True)
        and not getattr(config, "mlp_bias", True)
        and getattr(config, "hidden_act", None) == "silu"
    )


def fuse(model: Any) -> list[Layer]:
    """Replace the layers of a PEFT Llama by fused ones; batches must be padding-free.

    On a GPU the layers choose for each batch what they keep for the backward pass, by the memory
    that torch can take.

    Args:
        model: A `PeftModel` with one LoRA adapter on every linear layer.

    Returns:
        The fused layers.
    """
    attention.register()
    llama = model.get_base_model().model
    model.get_base_model().set_attn_implementation(attention.NAME)
    layers = [_make_layer(index, layer) for index, layer in enumerate(llama.layers)]
    state = _BatchState(layers, model)
    for module, layer in zip(llama.layers, layers, strict=True):
        module.forward = _forward(module, layer, state)
    llama.norm.forward = _final_norm(llama.norm, state)
    llama.register_forward_pre_hook(state.prepare, with_kwargs=True)
    _replace_head(model.get_base_model())
    return layers


def _replace_head(causal: Any) -> None:
    """Make the model return the loss of batches that have `places` and `targets`."""
    plain = causal.forward

    def forward(
        *arguments: Any,
        places: Tensor | None = None,
        targets: Tensor | None = None,
        labels: Tensor | None = None,
        **named: Any,
    ) -> Any:
        if places is None or targets is None:
            return plain(*arguments, labels=labels, **named)
        # Without a four-dimensional mask, transformers searches the positions for documents, and
        # waits for the GPU.
        named["attention_mask"] = causal.lm_head.weight.new_empty(1, 1, 1, 1)
        hidden = causal.model(*arguments, **named).last_hidden_state[0]
        return completion_loss(hidden, causal.lm_head.weight, places, targets)

    causal.forward = forward


def _allowed_bytes() -> int:
    """Return the bytes of the GPU that torch's allocator can take."""
    total = torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory
    return int(total * torch.cuda.get_per_process_memory_fraction())


def _make_layer(index: int, layer: Any) -> Layer:
    attn, mlp = layer.self_attn, layer.mlp
    return Layer(
        index=index,
        qkv=ProjectionGroup(attn.q_proj, attn.k_proj, attn.v_proj),
        output=ProjectionGroup(attn.o_proj),
        gate_up=ProjectionGroup(mlp.gate_proj, mlp.up_proj),
        down=ProjectionGroup(mlp.down_proj),
        first_norm=layer.input_layernorm,
        second_norm=layer.post_attention_layernorm,
        head=attn.head_dim,
        heads=attn.config.num_attention_heads,
        key_heads=attn.config.num_key_value_heads,
    )


def _forward(module: nn.Module, layer: Layer, state: "_BatchState") -> Callable[..., Tensor]:
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
        batch = PackedBatch(cos, sin, cu_seq_lens_q, max_length_q, p, state.seeds)
        # The fused steps choose their own types.
        with torch.autocast(hidden_states.device.type, enabled=False):
            return layer.run(hidden_states[0], batch)[None]

    return forward


def _final_norm(module: Any, state: "_BatchState") -> Callable[[Tensor], Tensor]:
    def forward(hidden_states: Tensor) -> Tensor:
        arguments = (
            hidden_states[0],
            module.weight,
            module.variance_epsilon,
            state.seeds[0, 0, :1],
        )
        out: Tensor = Norm.apply(*arguments)  # type: ignore[no-untyped-call]
        return out[None]

    return forward


class _BatchState:
    """State that is new for each batch: seeds, copies of the adapters, kept activations.

    The last layers are the ones that keep activations, because they free them first.
    """

    def __init__(self, layers: list[Layer], model: nn.Module) -> None:
        self._layers = layers
        self._groups = [group for layer in layers for group in layer.groups]
        self._trainable = [p for p in model.parameters() if p.requires_grad]
        self._minimum = 0
        self.seeds = torch.empty(0)

    def prepare(self, module: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Prepare a batch, before the model runs."""
        like = module.embed_tokens.weight
        # Four int32 for each seed, because compiled kernels need inputs aligned to 16 bytes.
        shape = (len(self._layers), 4, 4)
        self.seeds = torch.randint(2**31 - 1, shape, dtype=torch.int32, device=like.device)
        copy_adapters(self._groups, like)
        if like.is_cuda and torch.is_grad_enabled():
            ids = named["input_ids"] if "input_ids" in named else arguments[0]
            self._choose_kept(ids.numel(), module.config)

    def _choose_kept(self, tokens: int, config: Any) -> None:
        """Choose what each layer keeps of a batch."""
        rank = self._layers[0].down.a.shape[0]
        costs = count_fused_costs(read_shape(config), rank, tokens)
        free = int(_allowed_bytes() * USABLE) - RESERVE - self._static_bytes()
        kept = costs.choose_kept(len(self._layers), free)
        for position, layer in enumerate(reversed(self._layers)):
            layer.keep_attention = position < kept.attention
            layer.keep_mlp = position < kept.mlp
            layer.keep_norms = position < kept.norms
        if kept.left > UNPACKED * read_shape(config).linear:
            for group in self._groups:
                group.keep_unpacked()

    def _static_bytes(self) -> int:
        """Return the bytes of weights, gradients and optimiser states, also of future ones."""
        sizes = [(p.numel() * p.element_size(), p.grad is None) for p in self._trainable]
        allocated = torch.cuda.memory_allocated()
        self._minimum = self._minimum or allocated + 2 * sum(size for size, _ in sizes)
        return max(allocated, self._minimum) + sum(size for size, missing in sizes if missing)
