"""Markup inside a line of Fountain: emphasis, and words that look like markup."""

import re

from nothing_gpt.line import collapse

_BREAK = "\u200b"
"""A zero-width space. Fountain has no escape for a speech that starts like `!`, `INT.` or `(`, nor
for the brackets of notes. This invisible character keeps readers from taking words for markup."""

_EMPHASIS = re.compile(r"(?<!\\)(\*{1,3}|(?<!\w)_)(?=\S)(.+?)(?<=[^\s\\])\1")
_ESCAPED = re.compile(r"\\([*_])")


def remove_emphasis(text: str) -> str:
    """Remove the marks of *italics*, **bold** and _underlining_ from a line."""
    while (plain := _EMPHASIS.sub(r"\2", text)) != text:
        text = plain
    return _ESCAPED.sub(r"\1", text)


def protect_start(text: str) -> str:
    """Keep the first characters of a line from being read as markup."""
    return _BREAK + text


def protect_brackets(text: str) -> str:
    """Keep the brackets of notes and comments in a line from being read as markup."""
    for mark in ("[[", "/*", "*/"):
        text = text.replace(mark, mark[0] + _BREAK + mark[1])
    return text


def protect_scene_number(heading: str) -> str:
    """Keep the end of a heading, such as `#1#`, from being read as a scene number."""
    return re.sub("#$", _BREAK + "#", heading)


def remove_protection(text: str) -> str:
    """Return the words of a line as they were before `protect_start` and its like."""
    return collapse(text.replace(_BREAK, ""))
