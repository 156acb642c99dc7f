"""The format `directed`: the system message also has the direction of the scene."""

from nothing_gpt.line import collapse
from nothing_gpt.prompt.direction import Direction
from nothing_gpt.prompt.format import Format
from nothing_gpt.show import Show


def _build_system(show: Show, direction: Direction, _speaker: str) -> str:
    # The characters who are present are in the order of the cast, followed by guests, so that the
    # order does not reveal who speaks first.
    cast = [name for name in show.names if name in direction.present]
    guests = sorted(set(direction.present) - set(cast))
    parts = {
        "Premise": collapse(direction.premise),
        "Setting": collapse(direction.setting),
        "Present": ", ".join(cast + guests),
    }
    lines = [f"{label}: {text}" for label, text in parts.items() if text]
    return "\n\n".join([show.system, "\n".join(lines)]) if lines else show.system


FORMAT = Format(_build_system, parts=("premise", "setting", "present"))
