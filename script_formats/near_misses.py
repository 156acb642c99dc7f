"""Near misses: lines of Fountain that look like something else than what they were taken for."""

import re

from nothing_gpt.line import MAX_NAME
from script_formats.cues import looks_like_name, read_cue_name
from script_formats.fountain_elements import is_heading, is_transition

_LABEL = re.compile(r"[^\W\d_][\w .'’#\-]{0,24}(?:\([^()]*\) ?)?:(?: |$)")
_TITLE_WORDS = (
    "title credit author authors source draft date contact copyright notes episode series season"
    " show revision based on written by teleplay story director producer company format"
)
_USUAL_TITLE_WORDS = frozenset(_TITLE_WORDS.split())


def is_usual_title_key(key: str) -> bool:
    """Return whether title pages usually have an entry of this name."""
    return _USUAL_TITLE_WORDS.issuperset(key.lower().split())


def describe_action(text: str, *, after_empty: bool, following: str, further: str) -> str:
    """Say what a line of action looks like, "" if only like action.

    Args:
        following: The next line, "" if it is empty.
        further: The line after that.
    """
    if is_transition(text):
        return ""
    name = read_cue_name(text)
    if _LABEL.match(text):
        return "a speech of a transcript, read as a stage direction"
    if looks_like_name(name):
        if following and not after_empty:
            return "a cue without an empty line above it, read as a stage direction"
        spoken = further and not (is_heading(further) or looks_like_name(read_cue_name(further)))
        if not following and spoken and len(name) <= MAX_NAME and name[-1] not in ".!?":
            return "a cue with an empty line below it, read as a stage direction"
    elif following and after_empty and len(name) <= MAX_NAME and _has_caseless(name):
        return "a cue in letters that have no capitals, read as a stage direction"
    return ""


def describe_speech(text: str) -> str:
    """Say what a line in a speech looks like, "" if only like a speech."""
    if text[0] in "!@" and len(text) > 1 and text[1].isalpha():
        return "a direction or a cue without an empty line above it, read as speech"
    if is_heading(text) and text == text.upper():
        return "a heading without an empty line above it, read as speech"
    return ""


def describe_open_mark(text: str) -> str:
    """Say which mark of a note or a comment in a line nobody closes, "" for none."""
    marks = [mark for mark in ("[[", "/*") if mark in text]
    return f"a note or a comment, but nobody closes its {marks[0]}; read as text" if marks else ""


def _has_caseless(name: str) -> bool:
    return name == name.upper() and any(character.isalpha() for character in name)
