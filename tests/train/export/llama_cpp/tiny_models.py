"""Tiny models of the families that GGUF files hold, with byte-level tokenizers."""

from typing import Any

from train.export.llama_cpp.gguf_tokenizer import SPLITS

PHRASES = [
    "[DOT] It's 1234567 o'clock, isn't it?\n[FELIX]  WE'LL  see...\n\n",
    'Élan vital -- "naïve" 3.14 (aside)\t!?\r\n  end',
    "<|im_start|>user\nhi<|im_end|>\n",
]


def make_tokenizer(split: str) -> Any:
    """Build a tokenizer that splits text as llama.cpp's split of this name does."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE(ignore_merges=split == "llama-bpe"))
    pattern = next((text for text, name in SPLITS.items() if name == split), None)
    whole = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=pattern is None)
    first: list[Any] = []
    if pattern:
        first = [pre_tokenizers.Split(Regex(pattern), "isolated")]
    if split == "smollm":
        first = [pre_tokenizers.Digits(individual_digits=True)]
    steps = [*first, whole]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps) if first else whole
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(PHRASES * 3, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=special[0],
        eos_token=special[2],
        pad_token=special[0],
        chat_template=(
            "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
            "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
        ),
    )


def make_model(family: str, tokenizer: Any) -> Any:
    """Build a random model whose vocabulary has a few rows more than the tokenizer."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, set_seed

    set_seed(0)
    llama3 = family == "llama3"
    config = AutoConfig.for_model(
        "llama" if llama3 else family,
        vocab_size=len(tokenizer) + 5,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        max_position_embeddings=1024,
        tie_word_embeddings=family != "qwen2",
        initializer_range=0.3,
        dtype="float32",
    )
    if llama3:
        config.rope_parameters = {
            "rope_type": "llama3",
            "rope_theta": 10000.0,
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        }
    model = AutoModelForCausalLM.from_config(config).float().eval()
    for name, parameter in model.named_parameters():
        if name.endswith(("bias", "norm.weight")):
            torch.nn.init.normal_(parameter, mean=float("norm" in name), std=0.2)
    return model
