"""The direction of a scene: what the prompt says about it before its first line."""

from dataclasses import dataclass
from typing import Literal

DirectionPart = Literal["premise", "setting", "present"]


@dataclass(frozen=True, slots=True)
class Direction:
    """A scene's premise (or its episode's title), its setting, and the characters present.

    An unknown part is empty.
    """

    premise: str = ""
    setting: str = ""
    present: tuple[str, ...] = ()


UNDIRECTED = Direction()
