"""Scenes that a served model writes on from held-out contexts."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from benchmarks.scorecard.scores import LEAST_LINES
from nothing_gpt.line import Line, MalformedLine, parse_lines, render_lines
from nothing_gpt.prompt import Message

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types.chat import ChatCompletionMessageParam

CONTEXT = 5
"""Lines of context before each continuation, as in training."""


def write_scene(
    client: "OpenAI",
    model: str,
    messages: list[Message],
    *,
    most: int,
    seed: int,
    options: Mapping[str, Any],
) -> list[Line | MalformedLine]:
    """Have the model write one scene of `LEAST_LINES` up to `most` whole lines.

    If the model ends a scene early, the next request continues from the last lines, as a writer
    would do. A model that writes nothing leaves a short scene.

    Args:
        options: How tokens are sampled, as arguments of `chat.completions.create`.
    """
    lines: list[Line | MalformedLine] = []
    system, user = messages
    for attempt in range(LEAST_LINES):
        answer = client.chat.completions.create(
            model=model,
            messages=cast("list[ChatCompletionMessageParam]", [system, user]),
            seed=seed + attempt,
            max_tokens=40 * most,
            **options,
        ).choices[0]
        written = parse_lines(answer.message.content or "")
        # A last line that the token limit cut off is not the model's fault.
        lines += written[:-1] if answer.finish_reason == "length" else written
        if len(lines) >= LEAST_LINES:
            break
        context = keep_parsed([*parse_lines(user["content"]), *written])[-CONTEXT:]
        user = {"role": "user", "content": render_lines(context)}
    return lines[:most]


def keep_parsed(lines: Iterable[Line | MalformedLine]) -> list[Line]:
    """Leave out what is no line."""
    return [line for line in lines if isinstance(line, Line)]
