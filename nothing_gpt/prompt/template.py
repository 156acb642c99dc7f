"""A chat template that keeps people's text text.

A tokenizer turns `<|eot_id|>` into one control token wherever the string stands, also inside a
line of dialogue. Training and both engines therefore use the same guarded template, written
beside the adapter: it breaks up every control token's text in a message before the message
reaches the tokenizer.
"""

import json
from collections.abc import Iterable

from nothing_gpt.errors import UserError

_BREAK = "\u200b"  # a zero-width space: nothing to see, and no special token holds one

# A fixed date: the Llama 3 templates put today's into the system message, and a model served
# next month would see a prompt that training never showed.
_DATE = "26 Jul 2024"

_MARK = "{#- guarded -#}"


def guard_template(template: str, special_tokens: Iterable[str]) -> str:
    """Put a prelude before a Jinja chat template that disarms special tokens in messages.

    Both their contents and their roles. Contents may be strings or OpenAI's lists of text parts,
    which become one string, a line each. A template that is guarded already comes back as it is.

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
    # Insertion, not removal: taking a token out could join its neighbours into another one.
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
