"""Tiny random bases of the families that people tune, each with its kind of chat template."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_CHATML = (
    "{% for m in messages %}{% if loop.first and m['role'] != 'system' %}"
    "<|im_start|>system\nYou are helpful.<|im_end|>\n{% endif %}"
    "<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_THINKS = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
    "{% if m['role'] == 'assistant' and loop.last %}<think>\n\n</think>\n\n{% endif %}"
    "{{ m['content'] }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}"
    "<|im_start|>assistant\n{% if enable_thinking is defined and not enable_thinking %}"
    "<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
_LLAMA = (
    "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m['role'] }}<|end_header_id|>\n\n"
    "{{ m['content'] | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
_MISTRAL = (
    "{{ bos_token }}{% set ns = namespace(system='') %}{% for m in messages %}"
    "{% if m['role'] == 'system' %}{% set ns.system = m['content'] + '\n\n' %}"
    "{% elif m['role'] == 'user' %}[INST] {% if loop.last %}{{ ns.system }}{% endif %}"
    "{{ m['content'] }} [/INST]{% else %} {{ m['content'] }}{{ eos_token }}{% endif %}{% endfor %}"
)
_GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}{% for m in messages %}"
    "<start_of_turn>{{ 'model' if m['role'] == 'assistant' else m['role'] }}\n"
    "{{ m['content'] | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
_GEMMA_SYSTEM = (
    "{{ bos_token }}{% set ns = namespace(system='') %}{% if messages[0]['role'] == 'system' %}"
    "{% set ns.system = messages[0]['content'] + '\n\n' %}{% set messages = messages[1:] %}"
    "{% endif %}{% for m in messages %}"
    "<start_of_turn>{{ 'model' if m['role'] == 'assistant' else m['role'] }}\n"
    "{{ ns.system if loop.first else '' }}{{ m['content'] | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
_PHI = (
    "{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% else %}{{ eos_token }}{% endif %}"
)


@dataclass(frozen=True)
class Family:
    """A family's kind of model, tokenizer and template; `eos` can be a token that ends no turn."""

    kind: str
    template: str
    special: tuple[str, ...]
    end: str
    eos: str
    bos: str | None = None
    pad: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def architecture(self) -> str:
        """The name of its class, in configurations."""
        return f"{self.kind.removesuffix('_text').capitalize()}ForCausalLM"


_GEMMA_SPECIAL = ("<pad>", "<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>")
_IM = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_HEADERS = ("<|start_header_id|>", "<|end_header_id|>")
FAMILIES = {
    "Llama": Family(
        "llama",
        _LLAMA,
        ("<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>", *_HEADERS),
        "<|eot_id|>",
        "<|eot_id|>",
        bos="<|begin_of_text|>",
        settings={"tie_word_embeddings": True},
    ),
    "SmolLM": Family(
        "llama", _CHATML, _IM, "<|im_end|>", "<|im_end|>", bos="<|im_start|>", pad="<|im_end|>"
    ),
    "Qwen2": Family("qwen2", _CHATML, _IM, "<|im_end|>", "<|im_end|>", pad="<|endoftext|>"),
    "Qwen3": Family("qwen3", _THINKS, _IM, "<|im_end|>", "<|im_end|>", pad="<|endoftext|>"),
    "Mistral": Family(
        "mistral",
        _MISTRAL,
        ("<s>", "</s>", "[INST]", "[/INST]"),
        "</s>",
        "</s>",
        bos="<s>",
        settings={"sliding_window": 64},
    ),
    "Gemma": Family(
        "gemma2",
        _GEMMA,
        _GEMMA_SPECIAL,
        "<end_of_turn>",
        "<eos>",
        bos="<bos>",
        pad="<pad>",
        settings={
            "sliding_window": 64,
            "query_pre_attn_scalar": 32,
            "tie_word_embeddings": True,
        },
    ),
    "Gemma3": Family(
        "gemma3_text",
        _GEMMA_SYSTEM,
        _GEMMA_SPECIAL,
        "<end_of_turn>",
        "<eos>",
        bos="<bos>",
        pad="<pad>",
        settings={
            "sliding_window": 32,
            "layer_types": ["sliding_attention", "full_attention"],
            "rope_theta": 1_000_000.0,
            "rope_local_base_freq": 10_000.0,
            "query_pre_attn_scalar": 32,
            "tie_word_embeddings": True,
        },
    ),
    "Phi": Family(
        "phi3",
        _PHI,
        ("<|endoftext|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"),
        "<|end|>",
        "<|endoftext|>",
        pad="<|endoftext|>",
    ),
}


def write_base(family: Family, folder: Path) -> None:
    """Write a base of 60,000 weights, as the hub has those of the family."""
    from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig, set_seed

    tokenizer = _make_tokenizer(family)
    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in family.special}
    set_seed(0)
    config = AutoConfig.for_model(
        family.kind,
        **{
            "vocab_size": len(tokenizer),
            "hidden_size": 64,
            "intermediate_size": 96,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "head_dim": 32,
            "max_position_embeddings": 2048,
            "bos_token_id": ids.get(family.bos or ""),
            "eos_token_id": ids[family.eos],
            "pad_token_id": ids.get(family.pad or ""),
            "tie_word_embeddings": False,
            **family.settings,
        },
    )
    model = AutoModelForCausalLM.from_config(config).float()
    ends = sorted({ids[family.eos], ids[family.end]})
    model.generation_config = GenerationConfig(eos_token_id=ends if len(ends) > 1 else ends[0])
    model.save_pretrained(folder, max_shard_size="100KB")
    tokenizer.save_pretrained(folder)


def _make_tokenizer(family: Family) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: number for number, letter in enumerate(letters)}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(list(family.special))
    if family.bos in ("<|begin_of_text|>", "<s>", "<bos>"):
        # Their tokenizers add the first token to any text, in addition to the template's.
        number = backend.token_to_id(family.bos)
        backend.post_processor = processors.TemplateProcessing(
            single=f"{family.bos} $A", special_tokens=[(family.bos, number)]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token=family.bos,
        eos_token=family.eos,
        pad_token=family.pad,
        chat_template=family.template,
    )
