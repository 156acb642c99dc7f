"""Model folders in the exact shape of Llama 3.2 3B, with an adapter but without weights.

With `--load-format dummy` vLLM reads the config only and fills the weights with random numbers.
Speed and memory are those of the real model. A quantised model differs in its config only.
"""

import itertools
import json
import string
from pathlib import Path
from typing import Any

VOCABULARY = 128_256
_SPECIAL = 256  # special tokens at the end of the vocabulary, as in Llama 3
_RANK = 32

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""Modules that the adapter changes: all linear layers, as in training."""

SHAPE: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": VOCABULARY,
    "hidden_size": 3072,
    "intermediate_size": 8192,
    "num_hidden_layers": 28,
    "num_attention_heads": 24,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "max_position_embeddings": 131_072,
    "rms_norm_eps": 1e-5,
    "hidden_act": "silu",
    "tie_word_embeddings": True,
    "rope_theta": 500_000.0,
    "rope_scaling": {
        "rope_type": "llama3",
        "factor": 32.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    },
    "dtype": "bfloat16",
    "bos_token_id": VOCABULARY - _SPECIAL,
    "eos_token_id": VOCABULARY - _SPECIAL + 1,
}
_TINY = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
}


def _scheme(form: str, ignore: list[str], **group: Any) -> dict[str, Any]:
    return {
        "quant_method": "compressed-tensors",
        "format": form,
        "quantization_status": "compressed",
        "config_groups": {"group_0": {"targets": ["Linear"], **group}},
        "ignore": ignore,
    }


_FP8 = {"num_bits": 8, "type": "float", "symmetric": True, "strategy": "tensor", "dynamic": False}
_INT4 = {"num_bits": 4, "type": "int", "symmetric": True, "strategy": "group", "group_size": 128}

WEIGHTS: dict[str, dict[str, Any]] = {
    "bf16": {},
    # As `python -m train.export --to fp8` writes it: one scale per tensor for weights and
    # activations.
    "fp8": {
        "quantization_config": _scheme(
            "float-quantized", ["lm_head"], weights=_FP8, input_activations=_FP8
        )
    },
    "int4": {"quantization_config": _scheme("pack-quantized", ["lm_head"], weights=_INT4)},
    # The output matrix in int4 too; in bf16 it is a third of the bytes read for a token.
    "int4-head": {
        "tie_word_embeddings": False,
        "quantization_config": _scheme("pack-quantized", [], weights=_INT4),
    },
}
"""Additions to the model's config for each kind of weights."""


def write_models(folder: Path, *, tiny: bool = False) -> None:
    """Write a model folder for each kind of weights, and `adapter` of rank 32."""
    shape = SHAPE | (_TINY if tiny else {})
    for kind, more in WEIGHTS.items():
        place = folder / kind
        place.mkdir(parents=True, exist_ok=True)
        (place / "config.json").write_text(json.dumps(shape | more))
        write_tokenizer(place)
    write_adapter(folder / "adapter", shape)


def write_tokenizer(folder: Path) -> None:
    """Write a byte-level BPE tokenizer of 128,256 tokens: bytes, letter groups, special tokens."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    tokens = sorted(pre_tokenizers.ByteLevel.alphabet())
    count = VOCABULARY - _SPECIAL - len(tokens)
    merges = list(itertools.islice(_merges(), count))
    tokens += [left + right for left, right in merges]
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    controls = ["<|begin_of_text|>", "<|eot_id|>"]
    controls += [f"<|reserved_{i}|>" for i in range(_SPECIAL - len(controls))]
    tokenizer.add_special_tokens([AddedToken(text, special=True) for text in controls])
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "bos_token": controls[0],
                "eos_token": controls[1],
                "chat_template": "{% for m in messages %}{{ m['content'] }}\n{% endfor %}",
            }
        )
    )


def _merges() -> Any:
    """Yield merges of letters, with and without a leading space, into tokens of two to five."""
    space = "\u0120"  # how byte-level BPE writes a space
    known = [*string.ascii_letters, *(space + letter for letter in string.ascii_lowercase)]
    yield from ((space, letter) for letter in string.ascii_lowercase)
    while True:
        longer = []
        for start, letter in itertools.product(known, string.ascii_lowercase):
            longer.append(start + letter)
            yield start, letter
        known = longer


def write_adapter(folder: Path, shape: dict[str, Any]) -> None:
    """Write a LoRA adapter with random weights over all seven projections, in bf16."""
    import torch
    from safetensors.torch import save_file

    hidden, wide, head = shape["hidden_size"], shape["intermediate_size"], shape["head_dim"]
    queries, keys = shape["num_attention_heads"] * head, shape["num_key_value_heads"] * head
    sizes = {
        "self_attn.q_proj": (hidden, queries),
        "self_attn.k_proj": (hidden, keys),
        "self_attn.v_proj": (hidden, keys),
        "self_attn.o_proj": (queries, hidden),
        "mlp.gate_proj": (hidden, wide),
        "mlp.up_proj": (hidden, wide),
        "mlp.down_proj": (wide, hidden),
    }
    torch.manual_seed(0)
    tensors = {}
    for layer, (name, (into, out)) in itertools.product(
        range(shape["num_hidden_layers"]), sizes.items()
    ):
        stem = f"base_model.model.model.layers.{layer}.{name}"
        tensors[f"{stem}.lora_A.weight"] = torch.randn(_RANK, into, dtype=torch.bfloat16) * 0.02
        tensors[f"{stem}.lora_B.weight"] = torch.randn(out, _RANK, dtype=torch.bfloat16) * 0.02
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, str(folder / "adapter_model.safetensors"))
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": _RANK,
        "lora_alpha": _RANK,
        "lora_dropout": 0.1,
        "bias": "none",
        "target_modules": list(TARGETS),
    }
    (folder / "adapter_config.json").write_text(json.dumps(config))
