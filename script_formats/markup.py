"""Markup inside a line of Fountain: emphasis, and words that look like markup."""

import re
from collections import defaultdict
from dataclasses import dataclass

from nothing_gpt.line import collapse

_BREAK = "\u200b"
"""A zero-width space. Fountain has no escape for a speech that starts like `!`, `INT.` or `(`, nor
for the brackets of notes. This invisible character keeps readers from taking words for markup."""

_MARKS = re.compile(r"\\[*_]|\*+|_+")
_MAX_MARK = 3


@dataclass(slots=True)
class _Opening:
    """A mark that may begin emphasis; `end` is where its words start."""

    kind: str
    length: int
    end: int
    inside_word: bool


def remove_emphasis(text: str) -> str:
    """Remove the marks of *italics*, **bold** and _underlining_ from a line.

    Other marks stay: those without a partner, as in `2 * 3`, and those inside of words that are
    not one word, as in `d*mn and h*ll`. The time is linear in the length of the text.
    """
    if not ("*" in text or "_" in text):
        return text
    removed: list[tuple[int, int]] = []
    stack: list[_Opening] = []
    places: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    last_space = previous = 0
    for mark in _MARKS.finditer(text):
        start, end = mark.span()
        last_space = max(last_space, text.rfind(" ", previous, start))
        previous = end
        if mark[0][0] == "\\":
            removed.append((start, start + 1))
            continue
        before, after = text[start - 1 : start], text[end : end + 1]
        if end - start > _MAX_MARK or (before.isdigit() and after.isdigit()):
            continue
        inside = before.isalnum() and after.isalnum()
        if before and not before.isspace():
            rest = _close(mark[0], start, inside, last_space, stack, places, removed)
            if rest < end - start:
                continue
        if after and not after.isspace() and not (inside and mark[0][0] == "_"):
            places[mark[0][0], end - start].append(len(stack))
            stack.append(_Opening(mark[0][0], end - start, end, inside))
    return _cut(text, removed)


def _close(
    mark: str,
    start: int,
    inside_word: bool,  # noqa: FBT001 - private, one caller
    last_space: int,
    stack: list[_Opening],
    places: defaultdict[tuple[str, int], list[int]],
    removed: list[tuple[int, int]],
) -> int:
    """Pair a mark with the openings that it closes; return how many of its characters remain."""
    kind, rest = mark[0], len(mark)
    if kind == "_" and inside_word:
        return rest
    # A mark of three is one of two and one of one, on either side.
    for length in (rest, *range(_MAX_MARK, 0, -1)):
        found = places[kind, length]
        if not rest or not found or (length > rest and length != _MAX_MARK):
            continue
        opening = stack[found[-1]]
        if (inside_word or opening.inside_word) and last_space >= opening.end:
            continue
        while len(stack) > found[-1] + 1:
            dropped = stack.pop()
            places[dropped.kind, dropped.length].pop()
        used = min(rest, length)
        removed.append((opening.end - used, opening.end))
        removed.append((start, start + used))
        start, rest = start + used, rest - used
        stack.pop()
        place = found.pop()
        if length > used:
            opening.length, opening.end = length - used, opening.end - used
            places[kind, opening.length].append(place)
            stack.append(opening)
    return rest


def _cut(text: str, removed: list[tuple[int, int]]) -> str:
    kept, place = [], 0
    for start, end in sorted(removed):
        kept.append(text[place:start])
        place = end
    return "".join([*kept, text[place:]])


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
