"""The format `script` of the reference: the system message is the show's, always the same."""

from nothing_gpt.prompt.direction import Direction
from nothing_gpt.prompt.format import Format
from nothing_gpt.show import Show


def _build_system(show: Show, _direction: Direction, _speaker: str) -> str:
    return show.system


FORMAT = Format(_build_system)
