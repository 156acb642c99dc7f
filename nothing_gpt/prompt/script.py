"""The reference's format: the system message is the show's own and never varies."""

from nothing_gpt.prompt.direction import Direction, Part
from nothing_gpt.show import Show

PARTS: tuple[Part, ...] = ()


def build_system(show: Show, direction: Direction) -> str:
    """Return the show's system message; this format has no room for direction."""
    return show.system
