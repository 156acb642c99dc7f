"""Parsing of what people type: names, lines, pasted scripts, and the direction of a scene."""

from collections.abc import Collection

from demo.scene.scene import Entry
from nothing_gpt.errors import UserError
from nothing_gpt.line import MAX_NAME, Line, collapse, is_name, parse_line, parse_lines
from nothing_gpt.prompt import Direction, DirectionPart


def read_name(text: str) -> str:
    """Read a character's name.

    Raises:
        UserError: the text is empty or not a valid name.
    """
    name = collapse(text).upper()
    if not name:
        raise UserError("nobody is named here; choose who speaks")
    if not is_name(name):
        raise UserError(
            f"'{collapse(text)[:40]}' cannot be a character's name: a name starts with a letter, "
            f"has at most {MAX_NAME} characters, and only letters, digits, spaces and . ' - #"
        )
    return name


def read_names(text: str) -> tuple[str, ...]:
    """Read comma-separated names.

    Raises:
        UserError: one of them is not a valid name.
    """
    return tuple(dict.fromkeys(read_name(part) for part in text.split(",") if part.strip()))


def read_entry(speaker: str | None, text: str) -> Entry:
    """Read one entry: a speech, or a stage direction if there is no speaker.

    Raises:
        UserError: the text is empty, or the speaker is not a valid name.
    """
    if not collapse(text):
        raise UserError("this line has no words yet; write some, then add it")
    return Entry(collapse(text), None if speaker is None else read_name(speaker))


def read_entries(speaker: str | None, text: str, known: Collection[str]) -> tuple[Entry, ...]:
    """Read a pasted dialogue, or one entry of the given speaker.

    A dialogue has `[NAME] words` or `NAME: words` on every line, or names on lines of their own
    with the words below them. A single line is one only if its speaker is known: else it can be
    somebody's words, such as "NOTE: shut the door".

    Args:
        known: Names of the cast and the scene.

    Raises:
        UserError: as `read_entry` does.
    """
    rows = [row for part in text.splitlines() if (row := collapse(part))]
    lines = [_read_labelled(row) for row in rows]
    if len(rows) == 1 and lines[0] and text.lstrip()[0] != "[" and lines[0].speaker not in known:
        lines = [None]
    if not (rows and all(lines)):
        lines = _read_cues(rows)
    if lines and all(lines):
        return tuple(Entry(line.text, line.speaker) for line in lines if line)
    return (read_entry(speaker, text),)


def _read_labelled(row: str) -> Line | None:
    """Read `[NAME] words` or `NAME: words`."""
    parsed = parse_line(row)
    if isinstance(parsed, Line):
        return parsed
    name, _, words = row.partition(":")
    return Line(name, words.strip()) if is_name(name) and words.strip() else None


def _read_cues(rows: list[str]) -> list[Line | None]:
    """Read names on rows of their own, each with one or more rows of words below it."""
    speeches: list[tuple[str, list[str]]] = []
    for row in rows:
        if is_name(row):
            speeches.append((row, []))
        elif not speeches:
            return []
        else:
            speeches[-1][1].append(row)
    return [Line(name, " ".join(words)) if words else None for name, words in speeches]


def read_script(script: str) -> tuple[Entry, ...]:
    """Read a script with `[NAME] words` on every line.

    Raises:
        UserError: a line has another form.
    """
    parsed = parse_lines(script)
    entries = [Entry(line.text, line.speaker) for line in parsed if isinstance(line, Line)]
    if len(entries) < len(parsed):
        raise UserError("every line of the script must look like this: [NAME] words")
    return tuple(entries)


def read_direction(
    premise: str,
    setting: str,
    present: Collection[str],
    guests: str,
    *,
    parts: Collection[DirectionPart],
    current: Direction,
) -> Direction:
    """Read the direction of a scene.

    Args:
        present: Names that are valid already.
        guests: More names, separated by commas.
        parts: The parts to read. The others keep their value in `current`.

    Raises:
        UserError: a guest's name is not valid.
    """
    return Direction(
        premise=collapse(premise) if "premise" in parts else current.premise,
        setting=collapse(setting) if "setting" in parts else current.setting,
        present=(*present, *read_names(guests)) if "present" in parts else current.present,
    )
