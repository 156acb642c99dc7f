"""What stands in the fields for the next lines, read for one order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random

from demo.generation.client import OfferedModel
from demo.generation.constraints import SamplingSettings, SpeakerConstraints, read_constraints
from demo.generation.request import MAX_LINES, GenerationRequest
from demo.scene.scene import Provenance
from demo.ui.layout import LINES
from demo.ui.scene_form import SceneForm
from demo.ui.settings_panel import ANYONE
from nothing_gpt.errors import UserError

Numeral = int | float | None


@dataclass(frozen=True, slots=True)
class GenerationForm:
    """How many lines, how sampled, and in how many takes; a missing seed is a new one."""

    lines: int
    wishes: SpeakerConstraints
    sampling: SamplingSettings
    seed: int | None
    takes: int

    def order(
        self, desk: SceneForm, models: Iterable[OfferedModel], random: Random
    ) -> GenerationRequest:
        """Make the order of one continuation."""
        base = next((m.parent for m in models if m.name == desk.model and m.parent), "")
        seed = random.getrandbits(31) if self.seed is None else self.seed
        return GenerationRequest(
            desk.show,
            desk.format,
            Provenance(desk.model, seed, base),
            self.lines,
            self.wishes if not desk.bound else replace(self.wishes, tone=""),
            self.sampling,
            desk.bound,
        )


def read_generation_form(
    desk: SceneForm,
    lines: Numeral,
    first: str | None,
    required: Sequence[str],
    barred: Sequence[str],
    tone: str | None,
    locked: bool,  # noqa: FBT001 - a field of the page like the others
    temperature: Numeral,
    top_p: Numeral,
    frequency_penalty: Numeral,
    presence_penalty: Numeral,
    seed: str | None,
    takes: Numeral,
) -> GenerationForm:
    """Read the fields, in the order in which the page gives them; empty ones are the show's.

    Raises:
        UserError: a name cannot be one, or a number is out of its range.
    """
    own = SamplingSettings.of(desk.show.generation)
    given = {
        "temperature": temperature,
        "top_p": top_p,
        "frequency_penalty": frequency_penalty,
        "presence_penalty": presence_penalty,
    }
    numbers = {name: float(value) for name, value in given.items() if value is not None}
    leading = "" if first in (None, ANYONE) else first
    return GenerationForm(
        min(max(int(lines or LINES), 1), MAX_LINES),
        read_constraints(
            desk.show, leading or "", barred or (), required or (), tone or "", locked=locked
        ),
        replace(own, **numbers),  # type: ignore[arg-type]
        _read_seed(seed or ""),
        min(max(int(takes or 2), 2), 4),
    )


def _read_seed(text: str) -> int | None:
    if not text.strip():
        return None
    try:
        return int(text)
    except ValueError:
        raise UserError(f"'{text[:40]}' is no seed; write a whole number, or nothing") from None
