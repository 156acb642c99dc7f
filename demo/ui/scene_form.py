"""What stands in the fields of the page, read for one action."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from demo.generation.client import OfferedModel
from demo.scene.scene import read_names
from nothing_gpt.line import collapse
from nothing_gpt.prompt import Direction, DirectionPart, parts_of
from nothing_gpt.show import FormatName, Show


@dataclass(frozen=True, slots=True)
class SceneForm:
    """The chosen model with the show and format that belong to it, and the direction's fields.

    `bound` says that the model brought its show, which then is not for choosing.
    """

    model: str
    show: Show
    format: FormatName
    bound: bool
    premise: str
    setting: str
    present: tuple[str, ...]
    guests: str

    @property
    def carried(self) -> tuple[DirectionPart, ...]:
        """The parts of a direction that the model was trained on."""
        return parts_of(self.format)

    def direct(self, now: Direction) -> Direction:
        """What the fields tell the scene about itself; what they do not show stays as it is.

        Raises:
            UserError: a guest's name cannot be one.
        """
        carried = self.carried
        return Direction(
            premise=collapse(self.premise) if "premise" in carried else now.premise,
            setting=collapse(self.setting) if "setting" in carried else now.setting,
            present=(*self.present, *read_names(self.guests))
            if "present" in carried
            else now.present,
        )


def read_scene_form(
    models: Iterable[OfferedModel],
    shows: Mapping[str, Show],
    model: str | None,
    show: str,
    premise: str,
    setting: str,
    present: list[str],
    guests: str,
) -> SceneForm:
    """Read the fields, in the order in which the page gives them."""
    brought = next((m for m in models if m.name == model), None)
    fields: dict[str, Any] = {
        "model": model or "",
        "premise": premise,
        "setting": setting,
        "present": tuple(present),
        "guests": guests,
    }
    if brought and brought.show and brought.format:
        return SceneForm(show=brought.show, format=brought.format, bound=True, **fields)
    chosen = shows[show]
    return SceneForm(show=chosen, format=chosen.prompt.format, bound=False, **fields)
