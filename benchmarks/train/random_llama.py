"""Llama 3.2 3B with random weights: the speed and memory of the real one without a download."""

from typing import Any


def build_model(device: str, *, tiny: bool, layers: int = 28) -> Any:
    """Build the model in NF4, quantised layer by layer, or a tiny one of the same kind."""
    import torch
    from transformers import LlamaForCausalLM
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    config = _build_config(dtype, layers, tiny=tiny)
    torch.manual_seed(0)
    with torch.device("meta"):
        model: Any = LlamaForCausalLM(config)
        model = model.to(dtype)
    _quantise_layers(model, device, dtype)
    for module in model.modules():
        if type(module).__name__.endswith("RMSNorm"):
            ones = torch.ones(module.weight.shape, device=device, dtype=dtype)
            module.weight = torch.nn.Parameter(ones)
    table = model.model.embed_tokens
    table.weight = torch.nn.Parameter(_draw_weights(table.weight.shape, device, dtype))
    model.tie_weights()
    model.model.rotary_emb = LlamaRotaryEmbedding(config).to(device)
    model.is_loaded_in_4bit = True
    return model


def _build_config(dtype: Any, layers: int, *, tiny: bool) -> Any:
    from transformers import LlamaConfig

    config = LlamaConfig(
        vocab_size=128_256,
        hidden_size=3072,
        intermediate_size=8192,
        num_hidden_layers=layers,
        num_attention_heads=24,
        num_key_value_heads=8,
        head_dim=128,
        max_position_embeddings=131_072,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        rope_parameters={
            "rope_type": "llama3",
            "rope_theta": 500_000.0,
            "factor": 32.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8192,
        },
        dtype=dtype,
    )
    if tiny:
        sizes = {"vocab_size": 256, "hidden_size": 64, "intermediate_size": 128, "head_dim": 16}
        config.update(sizes | {"num_hidden_layers": 2, "num_attention_heads": 4})
        config.num_key_value_heads = 2
    return config


def _quantise_layers(model: Any, device: str, dtype: Any) -> None:
    """Replace the linear layers by NF4 ones with random weights, one at a time to save memory."""
    import torch
    from bitsandbytes.nn.modules import Linear4bit, Params4bit

    for name, module in list(model.model.layers.named_modules()):
        if not isinstance(module, torch.nn.Linear):
            continue
        outputs, inputs = module.weight.shape
        linear = Linear4bit(inputs, outputs, False, compute_dtype=dtype, device="meta")  # type: ignore[no-untyped-call]
        linear.weight = Params4bit(
            _draw_weights(module.weight.shape, device, dtype),
            requires_grad=False,
            quant_type="nf4",
            module=linear,
        )
        parent = model.model.layers.get_submodule(name.rpartition(".")[0])
        setattr(parent, name.rpartition(".")[2], linear.to(device))


def _draw_weights(shape: Any, device: str, dtype: Any) -> Any:
    import torch

    return torch.randn(shape, device=device, dtype=dtype) * 0.02
