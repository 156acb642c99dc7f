"""The pocket base: a small Llama with its own tokenizer, built from one show's scripts.

It replaces a real base model on machines without a GPU or without downloads. All its weights are
trained, because LoRA on frozen random weights learns nothing.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from nothing_gpt.prompt.template import guard_template

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

VOCABULARY = 4096
BOS, HEADER, HEADER_END, EOT, PAD = SPECIAL_TOKENS = (
    "<|begin_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
    "<|pad|>",
)

# The format of Llama 3, without the date that its own template writes into system messages.
_TEMPLATE = f"""\
{BOS}
{{%- for message in messages -%}}
{HEADER}{{{{ message['role'] }}}}{HEADER_END}{{{{ '\\n\\n' + message['content'] | trim }}}}{EOT}
{{%- endfor -%}}
{{%- if add_generation_prompt -%}}
{HEADER}assistant{HEADER_END}{{{{ '\\n\\n' }}}}
{{%- endif -%}}
"""


def build_tokenizer(texts: Iterable[str]) -> "PreTrainedTokenizerFast":
    """Train a byte-level BPE tokenizer; any text can be encoded and decoded without loss."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BOS,
        eos_token=EOT,
        pad_token=PAD,
        additional_special_tokens=[HEADER, HEADER_END],
        chat_template=guard_template(_TEMPLATE, SPECIAL_TOKENS),
        clean_up_tokenization_spaces=False,
    )


def build_model(tokenizer: "PreTrainedTokenizerFast", *, seed: int = 0) -> "LlamaForCausalLM":
    """Create the untrained model: 2.0 million parameters, in float32.

    Three query heads share one key head, as in Llama 3.2. That cuts the key-value cache of a
    server, which it reads again for each token, to a third.
    """
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, set_seed

    set_seed(seed)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=3,
        num_attention_heads=6,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = LlamaForCausalLM(config)
    model.generation_config = GenerationConfig(
        bos_token_id=config.bos_token_id,
        eos_token_id=config.eos_token_id,
        pad_token_id=config.pad_token_id,
    )
    return model


def unique_lines(contents: Sequence[str]) -> list[str]:
    """List each text line of messages once, in order: overlapping windows repeat lines."""
    return list(dict.fromkeys(line for text in contents for line in text.splitlines()))
