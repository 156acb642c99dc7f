"""The pocket base: a small Llama with a tokenizer of its own, built from one show's scripts.

It stands in for a real base model where there is no GPU and nothing can be downloaded. It is
trained in full weights, because LoRA on frozen random weights learns nothing.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from nothing_gpt.prompt.template import guard_template

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

NAME = "pocket"
"""What a person calls this base on the command line."""

VOCABULARY = 4096
BOS, HEADER, HEADER_END, EOT, PAD = SPECIAL_TOKENS = (
    "<|begin_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
    "<|pad|>",
)

# Llama 3's form, without the date that its own template writes into every system message.
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
    """Learn a byte-level BPE tokenizer; any text survives encoding and decoding."""
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
    """Make the untrained model: 2.0 million parameters, in float32.

    Three heads of queries share one of keys, as in Llama 3.2: what a server keeps of a scene, and
    reads again for each token, is a third of it.
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
    """List the text lines of messages once each, in order: windows overlap, words should not."""
    return list(dict.fromkeys(line for text in contents for line in text.splitlines()))
