"""The prompt: one function builds the chat messages of training examples and of requests.

Both are built by `build_messages`, so that a request has the form of the training examples.
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
    """Return the parts of a direction that a format carries, in the order of the message."""
    return _FORMATS[format_name].parts


def turns_given(format_name: FormatName) -> int | None:
    """Return the context turns of a format that answers as one character; None for the others."""
    return _FORMATS[format_name].context_turns


def build_messages(
    show: Show,
    format_name: FormatName,
    context: Sequence[Line],
    direction: Direction = UNDIRECTED,
    *,
    speaker: str = "",
) -> list[Message]:
    """Build the messages that ask for a scene's continuation.

    Args:
        context: The lines so far, oldest first: the user message. It can be empty.
        direction: Parts that the format does not carry are ignored.
        speaker: The speaker of the answer, for formats that answer as one character.

    Raises:
        ValueError: the format answers as one character, and `speaker` is empty.
    """
    chosen = _FORMATS[format_name]
    if chosen.context_turns is not None and not speaker:
        raise ValueError(f"format '{format_name}' answers as one character: say which")
    system: Message = {"role": "system", "content": chosen.build_system(show, direction, speaker)}
    return [system, *chosen.build_chat(context, speaker)]


def build_completion(lines: Sequence[Line], format_name: FormatName = "script") -> list[Message]:
    """Build the answer of a training example."""
    return [{"role": "assistant", "content": _FORMATS[format_name].build_answer(lines)}]
