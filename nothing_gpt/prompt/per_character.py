"""The reference's second phase: a chat with one character, five turns back.

What the character said is the assistant's; what others said is the user's, a script line each.
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


FORMAT = Format(build_system, build_chat=_build_chat, build_answer=build_answer, given=5)
