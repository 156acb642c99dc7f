"""What the room asks a model for: the tail of the scene, as training showed scenes."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from demo.scene import Scene, Take
from nothing_gpt.line import Line
from nothing_gpt.prompt import build_messages
from nothing_gpt.show import FormatName, Show

CONTEXT_TURNS = 12
"""Most turns that a request shows the model. Training gave 5 and had up to 30 written, so that
the model knows scenes of 35 turns; more than 5 let it remember, and 12 leave room to write. On
the pocket model 3 to 20 turns differ by less than 0.01 nats a token of what follows."""

CONTEXT_CHARACTERS = 3000
"""Most characters that a request shows the model, about 750 tokens: the mean whole window of
training, so that a few very long speeches cannot push a small model out of what it can read."""

MAX_LINES = 30
"""Most lines of one continuation: what training had written after its context."""

TOKENS_PER_LINE = 40
"""Tokens allowed for a line, twice the mean of scripts; the room closes the stream when it has
its lines, so that the limit only ends a model that has lost itself."""


@dataclass(frozen=True, slots=True)
class Order:
    """One continuation to be asked for: which show and format, by whom, how many lines."""

    show: Show
    format: FormatName
    take: Take
    lines: int


def build_request(order: Order, scene: Scene) -> dict[str, Any]:
    """Make the arguments of OpenAI's `chat.completions.create`."""
    context = select_context(scene.lines)
    generation = order.show.generation
    return {
        "model": order.take.model,
        "messages": build_messages(order.show, order.format, context, scene.direction),
        "seed": order.take.seed,
        "temperature": generation.temperature,
        "top_p": generation.top_p,
        "frequency_penalty": generation.frequency_penalty,
        "max_tokens": max(generation.max_tokens, TOKENS_PER_LINE * order.lines),
        "stream": True,
    }


def select_context(lines: Iterable[Line]) -> list[Line]:
    """Take the last turns that fit, what one speaker says in a row joined as training did.

    A last turn that is too long by itself loses its beginning, at a word.
    """
    turns = [
        Line(speaker, " ".join(line.text for line in group))
        for speaker, group in groupby(lines, key=lambda line: line.speaker)
    ]
    context: list[Line] = []
    left = CONTEXT_CHARACTERS
    for turn in reversed(turns[-CONTEXT_TURNS:]):
        left -= len(turn.text)
        if left < 0 and context:
            break
        context.insert(0, turn)
    if context and len(context[0].text) > CONTEXT_CHARACTERS:
        tail = context[0].text[-CONTEXT_CHARACTERS:]
        context[0] = Line(context[0].speaker, tail.partition(" ")[2] or tail)
    return context
