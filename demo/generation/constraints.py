"""The constraints on one continuation: who speaks, in what tone, and how tokens are sampled."""

from collections.abc import Iterable
from dataclasses import dataclass, fields

from demo.scene.parsing import read_name
from demo.scene.scene import Scene
from nothing_gpt.cast_lock import CastLock
from nothing_gpt.errors import UserError
from nothing_gpt.line import collapse
from nothing_gpt.show import Generation, Show

_RANGES = {
    "temperature": (0.0, 2.0),
    "top_p": (0.01, 1.0),
    "frequency_penalty": (-2.0, 2.0),
    "presence_penalty": (-2.0, 2.0),
}
"""The ranges of OpenAI's API, except that `top_p` cannot be 0."""


@dataclass(frozen=True, slots=True)
class SpeakerConstraints:
    """Who speaks in a continuation, and in what tone.

    Attributes:
        first: Who must speak the first line.
        barred: Who must not speak.
        required: Who must speak at least one line.
        tone: Words for the prompt of a model without a show of its own. This project's adapters
            were not trained on a tone.
        locked: Whether only the scene's cast can speak. Otherwise the model can invent speakers.
    """

    first: str | None = None
    barred: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    tone: str = ""
    locked: bool = True

    @property
    def restricts_speakers(self) -> bool:
        """Whether there are lines that a speaker must not have."""
        return self.locked or bool(self.barred) or self.first is not None


def read_constraints(
    show: Show,
    first: str,
    barred: Iterable[str],
    required: Iterable[str],
    tone: str,
    *,
    locked: bool,
) -> SpeakerConstraints:
    """Read names as people type them; an alias becomes the name.

    Raises:
        UserError: a name is not valid, or somebody is both required and barred.
    """

    def name(text: str) -> str:
        typed = read_name(text)
        return show.aliases.get(typed, typed)

    barred_names = tuple(dict.fromkeys(map(name, barred)))
    required_names = tuple(dict.fromkeys(map(name, required)))
    first_name = name(first) if first.strip() else None
    for each in (*required_names, *([first_name] if first_name else [])):
        if each in barred_names:
            raise UserError(f"{each} cannot both speak and be silent; choose one of the two")
    return SpeakerConstraints(first_name, barred_names, required_names, collapse(tone), locked)


def list_cast(show: Show, scene: Scene, constraints: SpeakerConstraints) -> tuple[str, ...]:
    """List who can speak: those who are named or have spoken in the scene.

    If the direction names nobody, the show's whole cast can speak.
    """
    everyone = () if scene.direction.present else show.names
    first = (constraints.first,) if constraints.first else ()
    return tuple(dict.fromkeys([*everyone, *scene.speakers, *constraints.required, *first]))


def make_cast_lock(
    show: Show, scene: Scene, constraints: SpeakerConstraints, lines: int
) -> CastLock | None:
    """Make the cast lock of a continuation; None if the model can invent speakers.

    Raises:
        UserError: nobody can speak.
    """
    if not constraints.locked:
        return None
    cast = list_cast(show, scene, constraints)
    return CastLock(cast, lines, constraints.first, constraints.barred)


@dataclass(frozen=True, slots=True)
class SamplingSettings:
    """Sampling parameters of a request.

    Attributes:
        max_tokens: None for a limit that follows from the number of lines.

    Raises:
        UserError: a value is out of its range.
    """

    temperature: float
    top_p: float
    frequency_penalty: float
    presence_penalty: float = 0.0
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            if not low <= getattr(self, name) <= high:
                words = name.replace("_", " ")
                raise UserError(f"{words} must be between {low:g} and {high:g}")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise UserError("max tokens must be at least 1")

    @classmethod
    def of(cls, generation: Generation) -> "SamplingSettings":
        """Take a show's settings, without its `max_tokens`."""
        shared = {field.name for field in fields(cls)} & {f.name for f in fields(Generation)}
        values = {name: getattr(generation, name) for name in shared - {"max_tokens"}}
        return cls(**values)
