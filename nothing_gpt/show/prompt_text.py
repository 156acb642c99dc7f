"""The show's part of the prompt, and suggestions for writers."""

from dataclasses import dataclass
from typing import Literal

from nothing_gpt.line import Line, is_name, parse_line

CastFormatName = Literal["script", "directed"]
"""Formats that write for the whole cast; a show's own format is one of them."""

FormatName = Literal[CastFormatName, "single-turn", "per-character"]
"""All prompt formats; the last two answer as one character (`nothing_gpt.prompt`)."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The beginning of a scene, for writers to start from: its direction and first lines.

    Attributes:
        lines: Script lines, such as `[DOT] It does seem to be.`
        present: Characters in the scene in addition to the speakers of the lines.
    """

    lines: tuple[str, ...]
    premise: str = ""
    setting: str = ""
    present: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.lines:
            raise ValueError("an opening needs at least one line")
        for line in self.lines:
            if not isinstance(parse_line(line), Line):
                raise ValueError(f"opening: not a script line like '[NAME] words': '{line}'")
        for name in self.present:
            if not is_name(name):
                raise ValueError(f"opening: '{name}' cannot be a character's name")

    @property
    def script(self) -> tuple[Line, ...]:
        """The first lines, parsed."""
        parsed = map(parse_line, self.lines)
        return tuple(line for line in parsed if isinstance(line, Line))


_SYSTEM = """
Continue this scene from {title}.
Write lines like this: [CHARACTER] dialogue

{cast}
"""


@dataclass(frozen=True, slots=True)
class PromptText:
    """The show's part of the prompt, and suggestions for writers.

    Attributes:
        system: The system message. It can contain `{title}`, and `{cast}` for one line
            `- NAME: voice` for each character with a voice; without any voice, for all names.
        premises: Premises to start a scene from.
        openings: Beginnings of scenes to continue.
    """

    format: CastFormatName = "directed"
    system: str = _SYSTEM
    premises: tuple[str, ...] = ()
    openings: tuple[Opening, ...] = ()
