"""The format with direction: the system message also says what the scene is about."""

from nothing_gpt.line import collapse
from nothing_gpt.prompt.direction import Direction
from nothing_gpt.prompt.format import Format
from nothing_gpt.show import Show


def _build_system(show: Show, direction: Direction, _speaker: str) -> str:
    # Who is present is named in the order of the cast, guests after it, so that the order says
    # nothing about who speaks first.
    cast = [name for name in show.names if name in direction.present]
    guests = sorted(set(direction.present) - set(cast))
    given = {
        "Premise": collapse(direction.premise),
        "Setting": collapse(direction.setting),
        "Present": ", ".join(cast + guests),
    }
    lines = [f"{label}: {text}" for label, text in given.items() if text]
    return "\n\n".join([show.system, "\n".join(lines)]) if lines else show.system


FORMAT = Format(_build_system, parts=("premise", "setting", "present"))
