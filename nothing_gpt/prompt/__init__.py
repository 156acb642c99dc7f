"""The prompt: one function makes the chat messages, for training examples and requests alike.

What a request asks for is what training showed, because both come through `build_messages`.
"""

from collections.abc import Iterable, Sequence

from nothing_gpt.line import Line, render_lines
from nothing_gpt.prompt import directed, script
from nothing_gpt.prompt.direction import UNDIRECTED, Direction, Format, Part
from nothing_gpt.prompt.message import Message
from nothing_gpt.show import FormatName, Show

__all__ = ["Direction", "Message", "Part", "build_completion", "build_messages", "parts_of"]

_FORMATS: dict[FormatName, Format] = {"script": script.FORMAT, "directed": directed.FORMAT}


def parts_of(format_name: FormatName) -> tuple[Part, ...]:
    """Which parts of a direction a format carries, in the order it writes them."""
    return _FORMATS[format_name].parts


def build_messages(
    show: Show,
    format_name: FormatName,
    context: Sequence[Line],
    direction: Direction = UNDIRECTED,
) -> list[Message]:
    """Make the messages that ask for a scene's continuation.

    Args:
        context: The lines so far, oldest first; the user message. May be empty.
        direction: Parts that the format does not carry are ignored.
    """
    system = _FORMATS[format_name].build_system(show, direction)
    return [
        {"role": "system", "content": system},
        {"role": "user", "content": render_lines(context)},
    ]


def build_completion(lines: Iterable[Line]) -> list[Message]:
    """Make the message that training teaches the model to answer with."""
    return [{"role": "assistant", "content": render_lines(lines)}]
