"""The reference's format: the system message is the show's own and never varies."""

from nothing_gpt.prompt.direction import Direction, Format
from nothing_gpt.show import Show


def _build_system(show: Show, _direction: Direction) -> str:
    return show.system


FORMAT = Format(parts=(), build_system=_build_system)
