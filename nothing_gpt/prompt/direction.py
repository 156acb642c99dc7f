"""What a scene is told about itself before its first line."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from nothing_gpt.show import Show

Part = Literal["premise", "setting", "present"]


@dataclass(frozen=True, slots=True)
class Direction:
    """A scene's premise (or its episode's title), its setting, and who is in it.

    An empty part is one that nobody gave.
    """

    premise: str = ""
    setting: str = ""
    present: tuple[str, ...] = ()


UNDIRECTED = Direction()


@dataclass(frozen=True, slots=True)
class Format:
    """How a system message is made, and which parts of a direction it carries, in order."""

    parts: tuple[Part, ...]
    build_system: Callable[[Show, Direction], str]
