"""Putting the fused layers into a PEFT model, and filling the memory that there is."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from train.estimate.memory import RESERVE, UNPACKED, USABLE, fused_costs, read_shape
from train.fused import attention
from train.fused.head import completion_loss
from train.fused.layer import Layer, Norm, PackedBatch
from train.fused.projection import ProjectionGroup, refresh


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
    layers = [_read(index, layer) for index, layer in enumerate(llama.layers)]
    state = _State(layers, model)
    for module, layer in zip(llama.layers, layers, strict=True):
        module.forward = _forward(module, layer, state)
    llama.norm.forward = _final_norm(llama.norm, state)
    llama.register_forward_pre_hook(state.prepare, with_kwargs=True)
    _put_head(model.get_base_model())
    return layers


def _put_head(causal: Any) -> None:
    """Let the model return the loss itself where a batch says what is to be predicted."""
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
        # Without a mask of four dimensions transformers looks for documents in the positions,
        # and waits for the GPU to tell.
        named["attention_mask"] = causal.lm_head.weight.new_empty(1, 1, 1, 1)
        hidden = causal.model(*arguments, **named).last_hidden_state[0]
        return completion_loss(hidden, causal.lm_head.weight, places, targets)

    causal.forward = forward


def _allowed_bytes() -> int:
    """Return what torch's allocator may take of the GPU."""
    whole = torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory
    return int(whole * torch.cuda.get_per_process_memory_fraction())


def _read(index: int, layer: Any) -> Layer:
    own, mlp = layer.self_attn, layer.mlp
    return Layer(
        index=index,
        qkv=ProjectionGroup(own.q_proj, own.k_proj, own.v_proj),
        output=ProjectionGroup(own.o_proj),
        gate_up=ProjectionGroup(mlp.gate_proj, mlp.up_proj),
        down=ProjectionGroup(mlp.down_proj),
        first_norm=layer.input_layernorm,
        second_norm=layer.post_attention_layernorm,
        head=own.head_dim,
        heads=own.config.num_attention_heads,
        key_heads=own.config.num_key_value_heads,
    )


def _forward(module: nn.Module, layer: Layer, state: "_State") -> Callable[..., Tensor]:
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
        # The steps choose their types themselves.
        with torch.autocast(hidden_states.device.type, enabled=False):
            return layer.run(hidden_states[0], batch)[None]

    return forward


def _final_norm(module: Any, state: "_State") -> Callable[[Tensor], Tensor]:
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


class _State:
    """What is made anew for each batch: seeds, copies of the adapters, and what layers keep.

    The last layers keep their activations: they are the first to give them back.
    """

    def __init__(self, layers: list[Layer], model: nn.Module) -> None:
        self._layers = layers
        self._groups = [group for layer in layers for group in layer.groups]
        self._trainable = [p for p in model.parameters() if p.requires_grad]
        self._least = 0
        self.seeds = torch.empty(0)

    def prepare(self, module: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Make ready for a batch, before the model sees it."""
        like = module.embed_tokens.weight
        # Four times as many as needed: compiled kernels want inputs that start at 16 bytes.
        shape = (len(self._layers), 4, 4)
        self.seeds = torch.randint(2**31 - 1, shape, dtype=torch.int32, device=like.device)
        refresh(self._groups, like)
        if like.is_cuda and torch.is_grad_enabled():
            ids = named["input_ids"] if "input_ids" in named else arguments[0]
            self._plan(ids.numel(), module.config)

    def _plan(self, tokens: int, config: Any) -> None:
        """Decide who keeps what of a batch."""
        rank = self._layers[0].down.a.shape[0]
        costs = fused_costs(read_shape(config), rank, tokens)
        free = int(_allowed_bytes() * USABLE) - RESERVE - self._held()
        kept = costs.keep(len(self._layers), free)
        for left, layer in enumerate(reversed(self._layers)):
            layer.keep_attention = left < kept.attention
            layer.keep_mlp = left < kept.mlp
            layer.keep_norms = left < kept.norms
        if kept.left > UNPACKED * read_shape(config).linear:
            for group in self._groups:
                group.hold()

    def _held(self) -> int:
        """Bytes of weights, gradients and optimizer states, also of those not made yet."""
        sizes = [(p.numel() * p.element_size(), p.grad is None) for p in self._trainable]
        held = torch.cuda.memory_allocated()
        self._least = self._least or held + 2 * sum(size for size, _ in sizes)
        return max(held, self._least) + sum(size for size, unmade in sizes if unmade)
