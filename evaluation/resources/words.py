"""Words of a text."""

import re

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


def split_words(text: str) -> list[str]:
    """Split text into lower-case words; apostrophes inside a word stay."""
    return _WORD.findall(text.lower().replace("\u2019", "'"))
