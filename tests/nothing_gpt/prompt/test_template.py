"""The templates of the families that people tune, with a tokenizer that splits into bytes."""

from typing import Any

import pytest
from jinja2 import TemplateError
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from nothing_gpt.errors import UserError
from nothing_gpt.prompt.message import Message
from nothing_gpt.prompt.template import guard_template, make_template

TURNS = "{{ '<|start|>' + message['role'] + '\n' + message['content'] | trim + '<|end|>\n' }}"
NEXT = "{% if add_generation_prompt %}{{ '<|start|>assistant\n' }}{% endif %}"
PLAIN = f"{{% for message in messages %}}{TURNS}{{% endfor %}}{NEXT}"
REFUSES_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    + PLAIN
)
DROPS_SYSTEM = (
    "{% for message in messages if message['role'] != 'system' %}" + f"{TURNS}{{% endfor %}}{NEXT}"
)
MOVES_SYSTEM = (
    "{% set system = messages[0]['content'] if messages[0]['role'] == 'system' else '' %}"
    "{% for message in messages if message['role'] != 'system' %}"
    "{% if system and loop.last and message['role'] == 'user' %}"
    "{{ '<|start|>system\n' + system }}{% endif %}" + f"{TURNS}{{% endfor %}}{NEXT}"
)
THINKS = (
    "{% for message in messages %}"
    "{% if loop.last and message['role'] == 'assistant' %}"
    "{{ '<|start|>assistant\n<think>\n\n</think>\n\n' + message['content'] + '<|end|>\n' }}"
    f"{{% else %}}{TURNS}{{% endif %}}{{% endfor %}}{NEXT}"
    "{% if add_generation_prompt and enable_thinking is defined and enable_thinking is false %}"
    "{{ '<think>\n\n</think>\n\n' }}{% endif %}"
)
REWRITES = "{{ messages | length }}" + PLAIN

END = "<|end|>"
PROMPT: list[Message] = [
    {"role": "system", "content": "Write <|end|> lines."},
    {"role": "user", "content": "[ANN] Yes."},
]
ANSWER: Message = {"role": "assistant", "content": "[BOB] No."}


def make_tokenizer(template: str | None) -> PreTrainedTokenizerFast:
    vocabulary = {
        letter: i for i, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))
    }
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token=END)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|start|>"]})
    tokenizer.chat_template = template
    return tokenizer


def render(template: str, messages: list[Message], *, prompts: bool) -> str:
    """Render with the guarded template, zero-width spaces left out."""
    tokenizer = make_tokenizer(template)
    tokenizer.chat_template = make_template(tokenizer, "a base", TemplateError)
    chat: Any = messages
    text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=prompts)
    return str(text).replace("\u200b", "")


@pytest.mark.parametrize("template", [PLAIN, THINKS])
def test_a_system_message_keeps_its_place(template: str) -> None:
    text = render(template, PROMPT, prompts=True)
    assert text.startswith(
        "<|start|>system\nWrite <|end|> lines.<|end|>\n<|start|>user\n[ANN] Yes."
    )


@pytest.mark.parametrize("template", [REFUSES_SYSTEM, DROPS_SYSTEM, MOVES_SYSTEM])
def test_a_system_message_that_a_template_cannot_place_starts_the_users(template: str) -> None:
    text = render(template, PROMPT, prompts=True)
    assert "<|start|>user\nWrite <|end|> lines.\n\n[ANN] Yes.<|end|>\n" in text
    alone = render(template, PROMPT[:1], prompts=True)
    assert "<|start|>user\nWrite <|end|> lines.<|end|>\n" in alone


@pytest.mark.parametrize("template", [PLAIN, REFUSES_SYSTEM, DROPS_SYSTEM, MOVES_SYSTEM, THINKS])
def test_an_answer_follows_its_prompt(template: str) -> None:
    prompt = render(template, PROMPT, prompts=True)
    whole = render(template, [*PROMPT, ANSWER], prompts=False)
    assert whole == f"{prompt}[BOB] No.<|end|>\n"


def test_control_tokens_in_a_folded_message_stay_text() -> None:
    tokenizer = make_tokenizer(REFUSES_SYSTEM)
    template = make_template(tokenizer, "a base", TemplateError)
    chat: Any = PROMPT
    ids = tokenizer.apply_chat_template(chat, chat_template=template, return_dict=False)
    assert ids.count(tokenizer.eos_token_id) == 1


def test_a_template_whose_prompts_change_is_refused() -> None:
    with pytest.raises(UserError, match="'a base': its chat template loses the system message"):
        make_template(make_tokenizer(REWRITES), "a base", TemplateError)


def test_a_base_without_a_template_is_refused() -> None:
    with pytest.raises(UserError, match="'a base' has no chat template"):
        make_template(make_tokenizer(None), "a base", TemplateError)


def test_a_template_that_needs_nothing_is_guarded_as_ever() -> None:
    """Adapters that were trained earlier have this template; others are served beside them."""
    made = make_template(make_tokenizer(PLAIN), "a base", TemplateError)
    assert made == guard_template(PLAIN, ["<|end|>", "<|start|>"])
