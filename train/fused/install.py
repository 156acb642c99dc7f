"""Installation of the fused layers in a PEFT model."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from train.estimate.memory import GRAPHED
from train.estimate.model_shape import FAMILIES, read_shape
from train.fused import attention
from train.fused.batch_state import BatchState
from train.fused.head import completion_loss
from train.fused.layer import Layer, Norm, PackedBatch
from train.fused.projection import ProjectionGroup
from train.fused.step_graphs import Batch, StepGraphs

_BATCH_KEYS = (
    "input_ids",
    "position_ids",
    "cu_seq_lens_q",
    "max_length_q",
    "places",
    "targets",
)


def explain_unfit(model: Any, longest: int) -> str | None:
    """Say why the fused layers cannot replace a model's; None if they can.

    Args:
        model: A causal model of transformers.
        longest: Tokens of an example at most.
    """
    config = model.config
    if config.model_type not in FAMILIES:
        return f"it takes {', '.join(FAMILIES)}, and this base is a '{config.model_type}'"
    if config.hidden_act != "silu":
        return f"it takes the activation 'silu', and this base has '{config.hidden_act}'"
    window = getattr(config, "sliding_window", None)
    if window is not None and window < longest:
        return f"this base sees {window} tokens back, fewer than an example's {longest}"
    return None


def fuse(model: Any) -> list[Layer]:
    """Replace the layers of a PEFT model by fused ones, for batches that are padding-free.

    Other batches, such as those of `generate`, still run in the layers that were there, if they
    run within `plain_attention`.

    On a GPU the layers choose for each batch what they keep for the backward pass, by the memory
    that torch can take.

    Args:
        model: A `PeftModel` with one LoRA adapter on every linear layer. `explain_unfit` must
            have nothing against its base.

    Returns:
        The fused layers.
    """
    attention.register()
    llama = model.get_base_model().model
    model.get_base_model().set_attn_implementation(attention.NAME)
    layers = [_make_layer(index, layer) for index, layer in enumerate(llama.layers)]
    state = BatchState(layers, model)
    for module, layer in zip(llama.layers, layers, strict=True):
        module.forward = _forward(module, layer, state)
    llama.norm.forward = _final_norm(llama.norm, state)
    llama.register_forward_pre_hook(state.prepare, with_kwargs=True)
    _replace_head(model.get_base_model(), state)
    return layers


def is_small(causal: Any) -> bool:
    """Return whether a causal model trains as CUDA graphs on a GPU."""
    return read_shape(causal.config).linear < GRAPHED


@contextmanager
def plain_attention(model: Any) -> Iterator[None]:
    """Let a fused model run batches that are padded or cached."""
    causal = model.get_base_model()
    causal.set_attn_implementation("sdpa")
    try:
        yield
    finally:
        causal.set_attn_implementation(attention.NAME)


def read_documents(causal: Any, batch: Batch) -> Tensor:
    """Return the hidden state of each token after the last norm, (tokens, hidden).

    Args:
        causal: The causal model inside a model that was given to `fuse`.
        batch: `input_ids`, `position_ids`, `cu_seq_lens_q` and `max_length_q` of its documents,
            and their `prefixes` if they have any.
    """
    # Without a four-dimensional mask, transformers searches the positions for documents, and
    # waits for the GPU.
    mask = causal.lm_head.weight.new_empty(1, 1, 1, 1)
    output = causal.model(**batch, attention_mask=mask, use_cache=False)
    hidden: Tensor = output.last_hidden_state[0]
    return hidden


def _replace_head(causal: Any, state: BatchState) -> None:
    """Make the model return the loss of batches that have `places` and `targets`."""
    plain = causal.forward

    def compute(batch: Batch) -> Tensor:
        places, targets = batch["places"], batch["targets"]
        rest = {key: batch[key] for key in batch.keys() - {"places", "targets"}}
        hidden = read_documents(causal, rest)
        return completion_loss(hidden, causal.lm_head.weight, places, targets)

    graphs = StepGraphs(compute, state.trainable, state.draw_seeds, state.fixed)
    small = is_small(causal)

    def forward(*arguments: Any, labels: Tensor | None = None, **named: Any) -> Any:
        if named.get("places") is None:
            return plain(*arguments, labels=labels, **named)
        batch = {key: named[key] for key in _BATCH_KEYS}
        if small and causal.lm_head.weight.is_cuda and torch.is_grad_enabled():
            return graphs.compute_loss(batch, has_room=state.has_room)
        return compute(batch)

    causal.forward = forward


def _make_layer(index: int, layer: Any) -> Layer:
    attn, mlp = layer.self_attn, layer.mlp
    has_norms = hasattr(attn, "q_norm")
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
        head_norms=(attn.q_norm, attn.k_norm) if has_norms else None,
    )


def _forward(module: Any, layer: Layer, state: BatchState) -> Callable[..., Tensor]:
    plain = module.forward

    def forward(
        hidden_states: Tensor,
        *arguments: Any,
        position_embeddings: tuple[Tensor, Tensor],
        cu_seq_lens_q: Tensor | None = None,
        max_length_q: int = 0,
        prefixes: Sequence[int] = (),
        **others: Any,
    ) -> Tensor:
        if cu_seq_lens_q is None:
            others["position_embeddings"] = position_embeddings
            out: Tensor = plain(hidden_states, *arguments, **others)
            return out
        cos, sin = (x[0] for x in position_embeddings)
        p = layer.qkv.dropout if module.training else 0.0
        batch = PackedBatch(cos, sin, cu_seq_lens_q, max_length_q, p, state.seeds, prefixes)
        # The fused steps choose their own types.
        with torch.autocast(hidden_states.device.type, enabled=False):
            return layer.run(hidden_states[0], batch)[None]

    return forward


def _final_norm(module: Any, state: BatchState) -> Callable[[Tensor], Tensor]:
    plain = module.forward

    def forward(hidden_states: Tensor) -> Tensor:
        if not state.is_packed:
            unchanged: Tensor = plain(hidden_states)
            return unchanged
        arguments = (
            hidden_states[0],
            module.weight,
            module.variance_epsilon,
            state.seeds[0, 0, :1],
        )
        out: Tensor = Norm.apply(*arguments)  # type: ignore[no-untyped-call]
        return out[None]

    return forward
