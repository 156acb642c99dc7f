"""The values of the page's fields, read into forms."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from gradio.components import Component

from demo.generation.constraints import SamplingSettings, SpeakerConstraints, read_constraints
from demo.generation.models import ModelChoice, OfferedModel, choose_model
from demo.generation.request import MAX_LINES, GenerationRequest
from demo.scene.episode import tell_before
from demo.scene.parsing import read_direction, read_names
from demo.scene.scene import Provenance
from demo.ui.layout import DEFAULT_LINES, Layout
from demo.ui.settings_panel import ANYONE
from nothing_gpt.errors import UserError
from nothing_gpt.line import collapse
from nothing_gpt.prompt import Direction
from nothing_gpt.show import Show

FieldValues = Mapping[Component, Any]
"""The value of each input of an event. Gradio passes it if `inputs` is a set."""

MIN_CANDIDATES, MAX_CANDIDATES = 2, 4


@dataclass(frozen=True, slots=True)
class DirectionInput:
    """The fields of the direction, as the page sends them; None for one that it leaves out.

    Attributes:
        guests: Names, separated by commas.
    """

    premise: str | None = None
    setting: str | None = None
    present: tuple[str, ...] | None = None
    guests: str | None = None


@dataclass(frozen=True, slots=True)
class SceneForm:
    """The chosen model with its show."""

    choice: ModelChoice

    @property
    def show(self) -> Show:
        """The show of the chosen model."""
        return self.choice.show

    def read_direction(self, given: DirectionInput, current: Direction) -> Direction:
        """Read the direction. Parts that the model's format does not carry stay as they are.

        Raises:
            UserError: a name is not valid.
        """
        names = self.show.names
        present, guests = given.present, given.guests
        if present is None:
            present = tuple(name for name in current.present if name in names)
        if guests is None:
            guests = ", ".join(name for name in current.present if name not in names)
        return read_direction(
            current.premise if given.premise is None else given.premise,
            current.setting if given.setting is None else given.setting,
            read_names(", ".join(present)),
            guests,
            parts=self.choice.parts,
            current=current,
        )


def read_scene_form(
    values: FieldValues, layout: Layout, models: Iterable[OfferedModel], shows: Mapping[str, Show]
) -> SceneForm:
    """Read the fields of the model and its show."""
    model, show = values[layout.models.model], values[layout.models.show]
    return SceneForm(choose_model(models, shows, model or "", show))


@dataclass(frozen=True, slots=True)
class GenerationForm:
    """The fields of the next lines.

    Attributes:
        seed: None for a random one.
        candidates: How many candidates to write at the same time.
        beat: What happens in the next lines.
        before: What happened before the scene, one outline for each earlier one of the episode.
    """

    lines: int
    constraints: SpeakerConstraints
    sampling: SamplingSettings
    seed: int | None
    candidates: int
    beat: str = ""
    before: tuple[str, ...] = ()

    def make_request(self, choice: ModelChoice, random: Random) -> GenerationRequest:
        """Make the request for one continuation by a model."""
        seed = random.getrandbits(31) if self.seed is None else self.seed
        constraints = self.constraints
        if choice.has_own_show:
            constraints = replace(constraints, tone="")
        takes_direction = choice.guidance != "none"
        return GenerationRequest(
            choice.show,
            choice.format,
            Provenance(choice.model, seed, choice.base),
            self.lines,
            constraints,
            self.sampling,
            choice.has_own_show,
            self.beat if takes_direction else "",
            tell_before(self.before) if takes_direction else "",
        )


def read_generation_form(values: FieldValues, layout: Layout, show: Show) -> GenerationForm:
    """Read the fields of the next lines; an empty field has the show's value.

    Raises:
        UserError: a name is not valid, or a number is out of its range.
    """
    fields = layout.generation
    first, lines, candidates = (
        values[field] for field in (fields.first, layout.composer.lines, fields.candidates)
    )
    lines = DEFAULT_LINES if lines is None else int(lines)
    if not 1 <= lines <= MAX_LINES:
        raise UserError(f"from 1 to {MAX_LINES} lines can be written at once, not {lines}")
    candidates = MIN_CANDIDATES if candidates is None else int(candidates)
    if not MIN_CANDIDATES <= candidates <= MAX_CANDIDATES:
        bounds = f"from {MIN_CANDIDATES} to {MAX_CANDIDATES}"
        raise UserError(f"{bounds} takes can be written at once, not {candidates}")
    constraints = read_constraints(
        show,
        "" if first in (None, ANYONE) else first,
        values[fields.barred] or (),
        values[fields.required] or (),
        values[fields.tone] or "",
        locked=values[fields.locked],
    )
    return GenerationForm(
        lines,
        constraints,
        _read_sampling(values, layout, show),
        _read_seed(values[fields.seed] or ""),
        candidates,
        collapse(values[fields.beat] or ""),
    )


def _read_sampling(values: FieldValues, layout: Layout, show: Show) -> SamplingSettings:
    fields, settings = layout.generation, SamplingSettings.of(show.generation)

    def number(field: Component, default: float) -> float:
        value = values[field]
        return default if value is None else float(value)

    return replace(
        settings,
        temperature=number(fields.temperature, settings.temperature),
        top_p=number(fields.top_p, settings.top_p),
        frequency_penalty=number(fields.frequency_penalty, settings.frequency_penalty),
        presence_penalty=number(fields.presence_penalty, settings.presence_penalty),
    )


def _read_seed(text: str) -> int | None:
    if not text.strip():
        return None
    try:
        return int(text)
    except ValueError:
        raise UserError(f"'{text[:40]}' is no seed; write a whole number, or nothing") from None
