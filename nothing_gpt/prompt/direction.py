"""What a scene is told about itself before its first line."""

from dataclasses import dataclass
from typing import Literal

DirectionPart = Literal["premise", "setting", "present"]


@dataclass(frozen=True, slots=True)
class Direction:
    """A scene's premise (or its episode's title), its setting, and who is in it.

    An empty part is one that nobody gave.
    """

    premise: str = ""
    setting: str = ""
    present: tuple[str, ...] = ()


UNDIRECTED = Direction()
