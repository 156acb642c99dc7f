"""Scenes as plain text, as people type scripts: `NAME: words`, stage directions in brackets."""

import re

from demo.scene.scene import Entry, Scene
from nothing_gpt.line import Line, collapse, is_name, parse_line
from nothing_gpt.prompt import Direction

_UNDERLINE = "="
_DIRECTION_LINE = re.compile(r"(Premise|Setting|Present):\s*(.*)")


def write(scene: Scene, title: str) -> str:
    """Write a scene under its title and its direction."""
    direction = scene.direction
    parts = {
        "Premise": collapse(direction.premise),
        "Setting": collapse(direction.setting),
        "Present": ", ".join(direction.present),
    }
    labelled = "\n".join(f"{label}: {text}" for label, text in parts.items() if text)
    body = [f"{e.speaker}: {e.text}" if e.line else f"({e.text})" for e in scene.entries]
    return "\n\n".join(part for part in (write_title(title), labelled, *body) if part) + "\n"


def write_title(title: str) -> str:
    """Write a title with a line below it."""
    name = collapse(title).upper()
    return f"{name}\n{_UNDERLINE * len(name)}" if name else ""


def read(text: str) -> Scene:
    """Read a scene. Lines can also be `[NAME] words`; all other lines are stage directions."""
    lines = [line for part in text.splitlines() if (line := collapse(part))]
    if len(lines) > 1 and not lines[1].strip(_UNDERLINE):
        lines = lines[2:]
    parts: dict[str, str] = {}
    entries: list[Entry] = []
    for line in lines:
        labelled = _DIRECTION_LINE.fullmatch(line)
        if labelled and not entries:
            parts[labelled[1]] = labelled[2]
        else:
            entries.append(_read_entry(line))
    names = (part.strip() for part in parts.get("Present", "").split(","))
    present = tuple(dict.fromkeys(name for name in names if is_name(name)))
    direction = Direction(parts.get("Premise", ""), parts.get("Setting", ""), present)
    return Scene(tuple(entries), direction)


def _read_entry(line: str) -> Entry:
    parsed = parse_line(line)
    if isinstance(parsed, Line):
        return Entry(parsed.text, parsed.speaker)
    name, _, words = line.partition(":")
    if is_name(name) and words.strip():
        return Entry(words.strip(), name)
    inner = line[1:-1].strip() if line[0] == "(" and line[-1] == ")" else ""
    return Entry(inner or line)
