"""The interface of a prompt format; each format is a module beside this one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nothing_gpt.line import Line, render_lines
from nothing_gpt.prompt.direction import Direction, DirectionPart
from nothing_gpt.prompt.message import Message
from nothing_gpt.show import Show


def _build_script_chat(context: Sequence[Line], _speaker: str) -> list[Message]:
    return [{"role": "user", "content": render_lines(context)}]


@dataclass(frozen=True, slots=True)
class Format:
    """A prompt format: the functions that build its messages.

    Attributes:
        build_system: Builds the system message from the show, a direction and a speaker.
        parts: The parts of a direction that the system message carries, in order.
        build_chat: Builds the messages after it from the lines so far and a speaker.
        build_answer: Builds the model's answer from the lines that come next.
        context_turns: The turns before the answer of one character; None for formats that write
            for the whole cast, whose context is the show's `windows.context`.
    """

    build_system: Callable[[Show, Direction, str], str]
    parts: tuple[DirectionPart, ...] = ()
    build_chat: Callable[[Sequence[Line], str], list[Message]] = _build_script_chat
    build_answer: Callable[[Sequence[Line]], str] = render_lines
    context_turns: int | None = None
