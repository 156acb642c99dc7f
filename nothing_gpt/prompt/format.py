"""What a prompt format is: the one interface of the modules beside this one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nothing_gpt.line import Line, render_lines
from nothing_gpt.prompt.direction import Direction, DirectionPart
from nothing_gpt.prompt.message import Message
from nothing_gpt.show import Show


def _ask_for_lines(context: Sequence[Line], _speaker: str) -> list[Message]:
    return [{"role": "user", "content": render_lines(context)}]


@dataclass(frozen=True, slots=True)
class Format:
    """How messages are made.

    Attributes:
        build_system: The system message, for a direction and whoever is to speak.
        parts: Which parts of a direction it carries, in order.
        build_chat: The messages after it, from the lines so far and whoever is to speak.
        build_answer: What the model is to answer, from the lines that come next.
        given: Turns before an answer of one character; None where the whole cast writes, and
            the show's windows say it.
    """

    build_system: Callable[[Show, Direction, str], str]
    parts: tuple[DirectionPart, ...] = ()
    build_chat: Callable[[Sequence[Line], str], list[Message]] = _ask_for_lines
    build_answer: Callable[[Sequence[Line]], str] = render_lines
    given: int | None = None
