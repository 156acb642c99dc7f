"""The format `single-turn` of the reference's first phase: one character answers one speech."""

from collections.abc import Sequence

from nothing_gpt.line import Line
from nothing_gpt.prompt.format import Format
from nothing_gpt.prompt.message import Message
from nothing_gpt.prompt.role import build_answer, build_system


def _build_chat(context: Sequence[Line], _speaker: str) -> list[Message]:
    return [{"role": "user", "content": build_answer(context[-1:])}]


FORMAT = Format(build_system, build_chat=_build_chat, build_answer=build_answer, context_turns=1)
