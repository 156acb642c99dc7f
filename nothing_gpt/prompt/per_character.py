"""The format `per-character` of the reference's second phase: a chat with one character.

The context is five turns. The character's own are messages of the assistant; those of others are
script lines in messages of the user.
"""

from collections.abc import Sequence
from itertools import groupby

from nothing_gpt.line import Line, render_lines
from nothing_gpt.prompt.format import Format
from nothing_gpt.prompt.message import Message
from nothing_gpt.prompt.role import build_answer, build_system


def _build_chat(context: Sequence[Line], speaker: str) -> list[Message]:
    messages: list[Message] = []
    for own, lines in groupby(context, key=lambda line: line.speaker == speaker):
        if own:
            messages.append({"role": "assistant", "content": build_answer(list(lines))})
        else:
            messages.append({"role": "user", "content": render_lines(lines)})
    return messages


FORMAT = Format(build_system, build_chat=_build_chat, build_answer=build_answer, context_turns=5)
