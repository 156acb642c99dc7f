"""What a writer wishes of one continuation, beyond what the scene says of itself."""

from collections.abc import Iterable
from dataclasses import dataclass, fields

from demo.scene.scene import Scene, read_name
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
"""What OpenAI's API allows, but for a `top_p` of nothing."""


@dataclass(frozen=True, slots=True)
class SpeakerConstraints:
    """Who speaks in a continuation, and in what tone.

    Attributes:
        first: Who must speak next.
        barred: Who must not speak.
        required: Who must speak somewhere in it.
        tone: Words for models that follow words; an adapter was trained on none.
        locked: Whether the scene's cast alone may speak; otherwise the model may invent.
    """

    first: str | None = None
    barred: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    tone: str = ""
    locked: bool = True


def read_constraints(
    show: Show,
    first: str,
    barred: Iterable[str],
    required: Iterable[str],
    tone: str,
    *,
    locked: bool,
) -> SpeakerConstraints:
    """Read the wishes as people type them; an alias becomes the name.

    Raises:
        UserError: a name cannot be one, or somebody must both speak and be silent.
    """

    def name(text: str) -> str:
        read = read_name(text)
        return show.aliases.get(read, read)

    silent = tuple(dict.fromkeys(map(name, barred)))
    wanted = tuple(dict.fromkeys(map(name, required)))
    leading = name(first) if first.strip() else None
    for each in (*wanted, *([leading] if leading else [])):
        if each in silent:
            raise UserError(f"{each} cannot both speak and be silent; choose one of the two")
    return SpeakerConstraints(leading, silent, wanted, collapse(tone), locked)


def list_cast(show: Show, scene: Scene, wishes: SpeakerConstraints) -> tuple[str, ...]:
    """Tell who is in the scene: those named or heard so far; else the whole cast of the show."""
    everyone = () if scene.direction.present else show.names
    leading = (wishes.first,) if wishes.first else ()
    return tuple(dict.fromkeys([*everyone, *scene.speakers, *wishes.required, *leading]))


def make_cast_lock(
    show: Show, scene: Scene, wishes: SpeakerConstraints, lines: int
) -> CastLock | None:
    """Make the lock on a continuation's speakers; None where the model may invent them.

    Raises:
        UserError: nobody may speak.
    """
    if not wishes.locked:
        return None
    return CastLock(list_cast(show, scene, wishes), lines, wishes.first, wishes.barred)


@dataclass(frozen=True, slots=True)
class SamplingSettings:
    """How a model picks its words. Without `max_tokens` the number of lines tells the limit."""

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
        """A show's own settings."""
        shared = {field.name for field in fields(cls)} & {f.name for f in fields(Generation)}
        values = {name: getattr(generation, name) for name in shared - {"max_tokens"}}
        return cls(**values)
