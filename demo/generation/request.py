"""A request for a continuation, and the payload that is sent to the server."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, islice
from typing import Any

from demo.generation.constraints import SamplingSettings, SpeakerConstraints, make_cast_lock
from demo.scene.scene import Entry, Provenance, Scene
from nothing_gpt.line import Line
from nothing_gpt.prompt import Message, build_messages
from nothing_gpt.show import FormatName, Show

CONTEXT_TURNS = 12
"""Most turns in a prompt. Training showed 5 and had up to 30 written, so the model knows scenes
of 35 turns. More than 5 give it a longer memory, and 12 leave room to write. On the pocket model
3 to 20 turns differ by less than 0.01 nats a token of what follows."""

CONTEXT_CHARACTERS = 3000
"""Most characters in a prompt, about 750 tokens: the mean of training's whole windows. Without
it a few very long speeches could exceed a small model's context."""

MAX_LINES = 30
"""Most lines of one continuation: what training had written after its context."""

TOKENS_PER_LINE = 40
"""Tokens allowed for a line, twice the mean of scripts. The stream is closed when the lines are
there, so the limit only ends a model that produces something else."""


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """A request for one continuation.

    Attributes:
        provenance: Model and seed.
        lines: Lines to write.
        sampling: None for the show's own settings.
        has_own_show: Whether the model brings its show. Its prompt then has only what training
            showed it.
        guidance: A sentence of direction for these lines alone, besides the scene's own. A model
            with a show of its own gets it at the end of the premise, if its format has one.
        before: What happened before the scene; such a model gets it before the premise.
    """

    show: Show
    format: FormatName
    provenance: Provenance
    lines: int
    constraints: SpeakerConstraints = field(default_factory=SpeakerConstraints)
    sampling: SamplingSettings | None = None
    has_own_show: bool = True
    guidance: str = ""
    before: str = ""

    @property
    def settings(self) -> SamplingSettings:
        """The sampling settings, or the show's own."""
        return self.sampling or SamplingSettings.of(self.show.generation)

    @property
    def max_tokens(self) -> int:
        """The token limit of the whole continuation."""
        enough = max(self.show.generation.max_tokens, TOKENS_PER_LINE * self.lines)
        return self.settings.max_tokens or enough

    def with_max_tokens(self, tokens: int) -> "GenerationRequest":
        """Replace the token limit."""
        return replace(self, sampling=replace(self.settings, max_tokens=tokens))


def build_payload(
    request: GenerationRequest, scene: Scene, *, locked: bool = False
) -> dict[str, Any]:
    """Make the arguments of OpenAI's `chat.completions.create`.

    Args:
        locked: Whether to ask the server for the cast lock, if the constraints want one.

    Raises:
        UserError: nobody can speak.
    """
    settings = request.settings
    payload: dict[str, Any] = {
        "model": request.provenance.model,
        "messages": build_prompt(request, scene),
        "seed": request.provenance.seed,
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "frequency_penalty": settings.frequency_penalty,
        "max_tokens": request.max_tokens,
        "stream": True,
    }
    if settings.presence_penalty:
        payload["presence_penalty"] = settings.presence_penalty
    if locked:
        lock = make_cast_lock(request.show, scene, request.constraints, request.lines)
        if lock:
            payload["extra_body"] = lock.as_extra_body()
    return payload


def build_prompt(request: GenerationRequest, scene: Scene) -> list[Message]:
    """Make the messages that ask for the continuation of a scene."""
    context, direction = select_context(scene.lines), scene.direction
    if request.has_own_show:
        premise = " ".join(filter(None, (direction.premise, request.guidance)))
        if request.before:
            premise = f"Before: {request.before}{' Now: ' if premise else ''}{premise}"
        direction = replace(direction, premise=premise)
    messages = build_messages(request.show, request.format, context, direction)
    return messages if request.has_own_show else _add_instructions(messages, request)


def _add_instructions(messages: list[Message], request: GenerationRequest) -> list[Message]:
    """Add the constraints in words, for a model that follows instructions."""
    constraints = request.constraints
    instructions = {
        "Tone": constraints.tone,
        "What happened before": request.before,
        "What happens next": request.guidance,
        "Next to speak": constraints.first or "",
        "Must speak": ", ".join(constraints.required),
        "Must not speak": ", ".join(constraints.barred),
    }
    words = "\n".join(f"{label}: {text}" for label, text in instructions.items() if text)
    if not words:
        return messages
    system, *rest = messages
    return [{"role": "system", "content": f"{system['content']}\n\n{words}"}, *rest]


def find_memory_start(entries: Sequence[Entry]) -> int:
    """Find the first entry that a request for what follows shows the model (`select_context`)."""
    start, left = len(entries), CONTEXT_CHARACTERS
    numbered = ((i, line) for i in reversed(range(len(entries))) if (line := entries[i].line))
    turns = groupby(numbered, key=lambda each: each[1].speaker)
    for _, turn in islice(turns, CONTEXT_TURNS):
        lines = list(turn)
        left -= sum(len(line.text) + 1 for _, line in lines) - 1
        if left < 0 and start < len(entries):
            break
        start = lines[-1][0]
    return start


def select_context(lines: Iterable[Line]) -> list[Line]:
    """Take the last turns that fit into a prompt, consecutive lines of a speaker joined.

    Training joined them too. If the last turn is too long by itself, its beginning is cut off at
    a word boundary.
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
