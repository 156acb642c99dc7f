"""The guarded chat template: it keeps control tokens out of the contents of messages.

A tokenizer turns the string `<|eot_id|>` into a control token wherever it occurs, even in a line
of dialogue. The guarded template therefore breaks up the text of every control token in a message
before the message reaches the tokenizer. It is written beside the adapter, and training and both
engines use it.

It also makes up for what some families' templates do with our prompts. A system message that is
refused (Gemma 2) or moved to the last message of the user (Mistral) becomes the start of the first
one. A model that can think is told not to (Qwen 3): its lines come at once.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from nothing_gpt.errors import UserError
from nothing_gpt.prompt.message import Message

_BREAK = "\u200b"  # a zero-width space: invisible, and in no special token

# A fixed date: Llama 3's templates put today's date into the system message, so that prompts would
# differ between training and serving.
_DATE = "26 Jul 2024"

_MARK = "{#- guarded -#}"

_PROMPT: list[Message] = [
    {"role": "system", "content": "An example of a system message."},
    {"role": "user", "content": "[ANN] An example of a line."},
]
_ANSWER: Message = {"role": "assistant", "content": "[BOB] An example of an answer."}


class ChatTokenizer(Protocol):
    """What is needed of transformers' tokenizer."""

    chat_template: Any

    @property
    def added_tokens_decoder(self) -> Mapping[int, object]:
        """The special tokens by their ids."""

    def apply_chat_template(self, conversation: Any, **options: Any) -> Any:
        """Render messages as text or token ids."""


def make_template(tokenizer: ChatTokenizer, base: str, refusal: type[Exception]) -> str:
    """Make the guarded template of a base model.

    Args:
        tokenizer: The base's tokenizer, with the template that it came with.
        base: The base's name, for messages.
        refusal: What the tokenizer raises if its template refuses messages: Jinja's TemplateError.

    Raises:
        UserError: the base has no chat template, or one that loses the system message or changes
            a prompt when an answer follows it.
    """
    template = tokenizer.chat_template
    if not isinstance(template, str):
        raise UserError(f"base model '{base}' has no chat template; use an instruct model")
    tokens = [str(token) for token in tokenizer.added_tokens_decoder.values()]
    for folds_system in (False, True):
        guarded = guard_template(template, tokens, folds_system=folds_system)
        if _keeps_prompts(tokenizer, guarded, refusal):
            return guarded
    raise UserError(
        f"base model '{base}': its chat template loses the system message, or changes a prompt"
        " when an answer follows it, so that nothing could be learned from it; use another base"
    )


def _keeps_prompts(tokenizer: ChatTokenizer, template: str, refusal: type[Exception]) -> bool:
    """Return whether a prompt has all its messages, and is where prompt and answer start."""
    options: dict[str, Any] = {"chat_template": template, "return_dict": False}
    try:
        text = tokenizer.apply_chat_template(_PROMPT, tokenize=False, **options)
        prompt = tokenizer.apply_chat_template(_PROMPT, add_generation_prompt=True, **options)
        whole = tokenizer.apply_chat_template([*_PROMPT, _ANSWER], **options)
    except refusal:
        return False
    is_complete = all(message["content"] in text for message in _PROMPT)
    return is_complete and len(prompt) < len(whole) and whole[: len(prompt)] == prompt


def guard_template(
    template: str, special_tokens: Iterable[str], *, folds_system: bool = False
) -> str:
    """Prepend a prelude to a Jinja chat template that breaks up special tokens in messages.

    It applies to contents and roles. Contents can be strings or OpenAI's lists of text parts,
    which are joined by line breaks. A template that is already guarded is returned unchanged.

    Args:
        folds_system: Put a system message before the first message of the user.

    Raises:
        UserError: a special token is a single character, which cannot be broken up.
    """
    if template.startswith(_MARK):
        return template
    tokens = sorted(set(special_tokens), key=lambda token: (-len(token), token))
    for token in tokens:
        if len(token) < 2 or _BREAK in token:
            raise UserError(f"special token {token!r} cannot be told from text; use another base")
    prelude = _PRELUDE % {"mark": _MARK, "date": _DATE, "replacements": _replacements(tokens)}
    if folds_system:
        prelude += _FOLD
    if "enable_thinking" in template:
        prelude += "{%- set enable_thinking = false -%}\n"
    return prelude + template


def _replacements(tokens: list[str]) -> str:
    # Insertion, not removal: without a token, the text around it could form another one.
    def literal(text: str) -> str:
        return json.dumps(text, ensure_ascii=False)

    return "".join(f" | replace({literal(t)}, {literal(t[0] + _BREAK + t[1:])})" for t in tokens)


_PRELUDE = """\
%(mark)s
{%%- set date_string = "%(date)s" -%%}
{%%- set guarded = namespace(messages=[], text="") -%%}
{%%- for message in messages -%%}
{%%- if message['content'] is string -%%}
{%%- set guarded.text = message['content'] -%%}
{%%- else -%%}
{%%- set guarded.text = message['content'] | map(attribute='text') | join('\\n') -%%}
{%%- endif -%%}
{%%- set safe = guarded.text%(replacements)s -%%}
{%%- set role = message['role']%(replacements)s -%%}
{%%- set guarded.messages = guarded.messages + [dict(message, role=role, content=safe)] -%%}
{%%- endfor -%%}
{%%- set messages = guarded.messages -%%}
"""

_FOLD = """\
{%- if messages and messages[0]['role'] == 'system' -%}
{%- set folded = messages[0]['content'] -%}
{%- set messages = messages[1:] -%}
{%- if messages and messages[0]['role'] == 'user' -%}
{%- set folded = folded + '\\n\\n' + messages[0]['content'] -%}
{%- set messages = messages[1:] -%}
{%- endif -%}
{%- set messages = [{'role': 'user', 'content': folded}] + messages -%}
{%- endif -%}
"""
