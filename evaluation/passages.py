"""Held-out windows, and the passages that are compared: lines after a window's context."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from nothing_gpt.errors import UserError
from nothing_gpt.line import Line, MalformedLine
from nothing_gpt.prompt import Message

Written = Line | MalformedLine


@dataclass(frozen=True, slots=True)
class Window:
    """A held-out example that shares no line with the others.

    Attributes:
        messages: The prompt, as training examples have it.
        context: The lines in the prompt.
        lines: The show's own continuation.
    """

    episode: str
    messages: tuple[Message, ...]
    context: tuple[Line, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """A continuation of a window's context.

    Attributes:
        sample: Which of the continuations of the same context.
        written: Everything that was written, also what is no line.
        lines: The lines that are scored, cut to the length of what they are compared with.
    """

    episode: str
    sample: int
    context: tuple[Line, ...]
    written: tuple[Written, ...]
    lines: tuple[Line, ...]


Key = tuple[int, int]
"""The number of a window, and of a sample of its continuation."""


def cut_to_equal_length(
    windows: Sequence[Window], models: Sequence[Mapping[Key, Sequence[Written]]]
) -> list[list[Passage]]:
    """Return the passages of each model and then the show's own, cut to the same lines.

    Only continuations that all models have are kept. Of each, everybody keeps as many lines as the
    shortest has.

    Raises:
        UserError: nothing is left to compare.
    """
    keys = sorted(set.intersection(*(set(written) for written in models)))
    groups: list[list[Passage]] = [[] for _ in range(len(models) + 1)]
    for number, sample in keys:
        window = windows[number]
        found = [
            make_passage(window, sample, each)
            for each in (*(written[number, sample] for written in models), window.lines)
        ]
        shortest = min(len(passage.lines) for passage in found)
        for group, passage in zip(groups, found, strict=True):
            group.append(replace(passage, lines=passage.lines[:shortest]))
    if not any(passage.lines for passage in groups[0]):
        raise UserError("no scene has a script line to compare; see the raw text")
    return groups


def make_passage(window: Window, sample: int, written: Iterable[Written]) -> Passage:
    """Make the passage of what was written after a window's context."""
    texts = tuple(written)
    lines = tuple(line for line in texts if isinstance(line, Line))
    return Passage(window.episode, sample, window.context, texts, lines)
