"""What the room asks a model for: the tail of the scene, as training showed scenes."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from demo.generation.constraints import SamplingSettings, SpeakerConstraints, make_cast_lock
from demo.scene.scene import Provenance, Scene
from nothing_gpt.line import Line
from nothing_gpt.prompt import Message, build_messages
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
class GenerationRequest:
    """One continuation to be asked for: which show and format, by whom, how many lines.

    `sampling` is the show's own where there is none. `bound` says that the model brought its
    show: an adapter of ours, which is told what training told and no more.
    """

    show: Show
    format: FormatName
    take: Provenance
    lines: int
    wishes: SpeakerConstraints = field(default_factory=SpeakerConstraints)
    sampling: SamplingSettings | None = None
    bound: bool = True


def build_request(
    order: GenerationRequest, scene: Scene, *, locked: bool = False
) -> dict[str, Any]:
    """Make the arguments of OpenAI's `chat.completions.create`.

    Args:
        locked: Whether the server is to hold the text to the cast, if that is wished.
    """
    context = select_context(scene.lines)
    sampling = order.sampling or SamplingSettings.of(order.show.generation)
    messages = build_messages(order.show, order.format, context, scene.direction)
    most = max(order.show.generation.max_tokens, TOKENS_PER_LINE * order.lines)
    request: dict[str, Any] = {
        "model": order.take.model,
        "messages": messages if order.bound else _tell(messages, order),
        "seed": order.take.seed,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "frequency_penalty": sampling.frequency_penalty,
        "max_tokens": sampling.max_tokens or most,
        "stream": True,
    }
    if sampling.presence_penalty:
        request["presence_penalty"] = sampling.presence_penalty
    lock = make_cast_lock(order.show, scene, order.wishes, order.lines) if locked else None
    if lock:
        request["extra_body"] = lock.as_extra_body()
    return request


def _tell(messages: list[Message], order: GenerationRequest) -> list[Message]:
    """Add the wishes in words, for a model that was trained on instructions and not by us."""
    wishes = order.wishes
    given = {
        "Tone": wishes.tone,
        "Next to speak": wishes.first or "",
        "Must speak": ", ".join(wishes.required),
        "Must not speak": ", ".join(wishes.barred),
    }
    words = "\n".join(f"{label}: {text}" for label, text in given.items() if text)
    if not words:
        return messages
    system, *rest = messages
    return [{"role": "system", "content": f"{system['content']}\n\n{words}"}, *rest]


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
