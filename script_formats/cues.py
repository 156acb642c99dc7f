"""Cues: the names above speeches, in all the ways that scripts write them."""

import re
import unicodedata

from nothing_gpt.line import collapse
from script_formats.markup import remove_emphasis

# No lower case: a scene number has none, and a name such as `A #b#` must stay what it is.
_SCENE_NUMBER = re.compile(r"#[0-9A-Z.\-]{1,20}#")
_MAX_PARTS = 8
"""Most marks of one kind after a name that are removed; a line of more is no cue."""

_OPENING_MARKS = "\"'“”„«‘’$&"


def read_cue_name(cue: str) -> str:
    """Return the name of a cue.

    Extensions such as (V.O.) (CONT'D), the mark of dual dialogue, a scene number, a colon at the
    end, emphasis and zero-width characters are no part of it. It is in Unicode's form NFC.
    """
    name = remove_emphasis(collapse(_remove_invisible(unicodedata.normalize("NFC", cue))))
    for _ in range(_MAX_PARTS):
        name = name.removesuffix("^").rstrip()
        name = _remove_scene_numbers(name)
        name = _remove_extension(name).rstrip(" :")
    return name


def is_dual(cue: str) -> bool:
    """Return whether a cue of Fountain has the mark of dual dialogue."""
    return cue.rstrip().endswith("^")


def looks_like_name(name: str) -> bool:
    """Return whether a line with this name is a cue without a mark that says so."""
    first = name[:1]
    return (
        (first.isupper() or first.isdigit() or first in _OPENING_MARKS)
        and any(character.isupper() for character in name)
        and not any(character.islower() for character in name)
    )


def _remove_invisible(text: str) -> str:
    if text.isascii():
        return text
    return "".join(c for c in text if unicodedata.category(c) != "Cf")


def _remove_scene_numbers(name: str) -> str:
    words = name.split(" ")
    if len(words) > 1 and _SCENE_NUMBER.fullmatch(words[-1]):
        words.pop()
    if len(words) > 1 and _SCENE_NUMBER.fullmatch(words[0]):
        words.pop(0)
    return " ".join(words)


def _remove_extension(name: str) -> str:
    """Remove all parentheses at the end; nested ones are one, and an open one reaches the end."""
    end = len(name)
    depth = 0
    for place in range(len(name) - 1, -1, -1):
        character = name[place]
        if character == ")":
            depth += 1
        elif character == "(" and depth:
            depth -= 1
            if not depth:
                end = place
        elif not depth and character != " ":
            break
    kept = name[:end].rstrip()
    opened = kept.find("(", kept.rfind(")") + 1)
    return kept[:opened].rstrip() if opened > 0 else kept
