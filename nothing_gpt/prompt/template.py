"""The guarded chat template: it keeps control tokens out of the contents of messages.

A tokenizer turns the string `<|eot_id|>` into a control token wherever it occurs, even in a line
of dialogue. The guarded template therefore breaks up the text of every control token in a message
before the message reaches the tokenizer. It is written beside the adapter, and training and both
engines use it.
"""

import json
from collections.abc import Iterable

from nothing_gpt.errors import UserError

_BREAK = "\u200b"  # a zero-width space: invisible, and in no special token

# A fixed date: Llama 3's templates put today's date into the system message, so that prompts would
# differ between training and serving.
_DATE = "26 Jul 2024"

_MARK = "{#- guarded -#}"


def guard_template(template: str, special_tokens: Iterable[str]) -> str:
    """Prepend a prelude to a Jinja chat template that breaks up special tokens in messages.

    It applies to contents and roles. Contents can be strings or OpenAI's lists of text parts,
    which are joined by line breaks. A template that is already guarded is returned unchanged.

    Raises:
        UserError: a special token is a single character, which cannot be broken up.
    """
    if template.startswith(_MARK):
        return template
    tokens = sorted(set(special_tokens), key=lambda token: (-len(token), token))
    for token in tokens:
        if len(token) < 2 or _BREAK in token:
            raise UserError(f"special token {token!r} cannot be told from text; use another base")
    return (
        _PRELUDE % {"mark": _MARK, "date": _DATE, "replacements": _replacements(tokens)} + template
    )


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
