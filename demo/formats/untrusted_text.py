"""Untrusted text: from a browser's storage, or from a file that the writer imports."""

import json
import re

from nothing_gpt.errors import UserError

MAX_CHARACTERS = 20_000_000
"""Longest text that is read; a browser's storage and every script are shorter."""

MOST_UNREADABLE = 0.25
"""Largest share of unreadable characters; a text in Latin-1 has fewer, read as UTF-8."""

_CONTROL = re.compile(r"[\x01-\x08\x0e-\x1f]")
"""Control characters, which are in most files that are no text; a writer types none of them."""


def check_text(text: str, where: str) -> str:
    """Check that a text is one, and return it without its byte order mark.

    Raises:
        UserError: it is too long, or was made of bytes that are no text; the message calls it
            `where`.
    """
    if len(text) > MAX_CHARACTERS:
        raise UserError(f"{where} cannot be read: too long ({len(text):,} characters)")
    unreadable = text.count("\ufffd")  # decoders put this character for bytes that are no text
    unlike_text = unreadable > len(text) * MOST_UNREADABLE and _CONTROL.search(text)
    if "\0" in text or unlike_text:
        raise UserError(f"{where} cannot be read: it is no text; is it the right one?")
    return text.removeprefix("\ufeff")


def read_json_text(text: str, where: str) -> object:
    """Parse JSON.

    Raises:
        UserError: it is invalid, too long or nested too deeply, or has a lone surrogate.
    """
    try:
        data: object = json.loads(check_text(text, where))
        # JSON can contain half a surrogate pair, which cannot be encoded to send it to a page.
        json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where} cannot be read: no JSON, or damaged ({error})"[:200]) from None
    return data
