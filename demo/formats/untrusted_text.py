"""Reading text that came from outside: a browser's store, or a file of the writer's."""

import json

from nothing_gpt.errors import UserError

MAX_CHARACTERS = 20_000_000
"""Longest text that is read; browsers keep less, and no script is as long."""


def check_text(text: str, where: str) -> str:
    """Refuse text that cannot be a document.

    Raises:
        UserError: it is too long.
    """
    if len(text) > MAX_CHARACTERS:
        raise UserError(f"{where} cannot be read: too long ({len(text):,} characters)")
    return text.removeprefix("\ufeff")


def read_json_text(text: str, where: str) -> object:
    """Read JSON.

    Raises:
        UserError: it is none, it is too long or too deep, or it holds half a character.
    """
    try:
        data: object = json.loads(check_text(text, where))
        # A lone half of a surrogate pair can be written as JSON, and never sent to a page.
        json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where} cannot be read: no JSON, or damaged ({error})"[:200]) from None
    return data
