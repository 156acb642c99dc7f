"""The prompt: one function makes the chat messages, for training examples and requests alike.

What a request asks for is what training showed, because both come through `build_messages`.
"""

from collections.abc import Sequence

from nothing_gpt.line import Line
from nothing_gpt.prompt import directed, per_character, script, single_turn
from nothing_gpt.prompt.direction import UNDIRECTED, Direction, DirectionPart
from nothing_gpt.prompt.format import Format
from nothing_gpt.prompt.message import Message
from nothing_gpt.show import FormatName, Show

__all__ = [
    "Direction",
    "DirectionPart",
    "Message",
    "build_completion",
    "build_messages",
    "parts_of",
    "turns_given",
]

_FORMATS: dict[FormatName, Format] = {
    "script": script.FORMAT,
    "directed": directed.FORMAT,
    "single-turn": single_turn.FORMAT,
    "per-character": per_character.FORMAT,
}


def parts_of(format_name: FormatName) -> tuple[DirectionPart, ...]:
    """Which parts of a direction a format carries, in the order it writes them."""
    return _FORMATS[format_name].parts


def turns_given(format_name: FormatName) -> int | None:
    """How many turns stand before an answer of one character; None: the whole cast answers."""
    return _FORMATS[format_name].given


def build_messages(
    show: Show,
    format_name: FormatName,
    context: Sequence[Line],
    direction: Direction = UNDIRECTED,
    *,
    speaker: str = "",
) -> list[Message]:
    """Make the messages that ask for a scene's continuation.

    Args:
        context: The lines so far, oldest first; the user message. May be empty.
        direction: Parts that the format does not carry are ignored.
        speaker: Who is to speak, in formats that answer as one character.

    Raises:
        ValueError: the format answers as one character, and it is not said which.
    """
    chosen = _FORMATS[format_name]
    if chosen.given is not None and not speaker:
        raise ValueError(f"format '{format_name}' answers as one character: say which")
    system: Message = {"role": "system", "content": chosen.build_system(show, direction, speaker)}
    return [system, *chosen.build_chat(context, speaker)]


def build_completion(lines: Sequence[Line], format_name: FormatName = "script") -> list[Message]:
    """Make the message that training teaches the model to answer with."""
    return [{"role": "assistant", "content": _FORMATS[format_name].build_answer(lines)}]
