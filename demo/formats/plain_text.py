"""A scene as people type scripts: `NAME: words`, stage directions in brackets."""

import re

from demo.scene.scene import Entry, Scene
from nothing_gpt.line import Line, collapse, is_name, parse_line
from nothing_gpt.prompt import Direction

_RULE = "="
_HEAD = re.compile(r"(Premise|Setting|Present):\s*(.*)")


def write(scene: Scene, title: str) -> str:
    """Write a scene, its title underlined."""
    direction, name = scene.direction, collapse(title).upper()
    head = {
        "Premise": collapse(direction.premise),
        "Setting": collapse(direction.setting),
        "Present": ", ".join(direction.present),
    }
    told = "\n".join(f"{label}: {text}" for label, text in head.items() if text)
    body = [f"{e.speaker}: {e.text}" if e.speaker else f"({e.text})" for e in scene.entries]
    top = f"{name}\n{_RULE * len(name)}" if name else ""
    return "\n\n".join(part for part in (top, told, *body) if part) + "\n"


def read(text: str) -> Scene:
    """Read such a text, or `[NAME] words`; any other line is a stage direction."""
    lines = [line for part in text.splitlines() if (line := collapse(part))]
    if len(lines) > 1 and not lines[1].strip(_RULE):
        lines = lines[2:]
    head: dict[str, str] = {}
    entries: list[Entry] = []
    for line in lines:
        told = _HEAD.fullmatch(line)
        if told and not entries:
            head[told[1]] = told[2]
        else:
            entries.append(_read_entry(line))
    present = [
        name for part in head.get("Present", "").split(",") if is_name(name := part.strip())
    ]
    direction = Direction(
        head.get("Premise", ""), head.get("Setting", ""), tuple(dict.fromkeys(present))
    )
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
