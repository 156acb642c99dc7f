"""A show: its cast, prompt, corpus and settings, read from one TOML file."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from nothing_gpt.errors import UserError
from nothing_gpt.line import Line, collapse, is_name, parse_line
from nothing_gpt.records import decode

SHOWS = Path(__file__).resolve().parent.parent / "shows"
"""The folder of the shows in the checkout, each in `NAME/show.toml`."""

CastFormatName = Literal["script", "directed"]
"""Formats that write for the whole cast; a show's own format is one of them."""

FormatName = Literal[CastFormatName, "single-turn", "per-character"]
"""All prompt formats; the last two answer as one character (`nothing_gpt.prompt`)."""


@dataclass(frozen=True, slots=True)
class Character:
    """A member of the cast.

    Attributes:
        aliases: Other names in the scripts.
        voice: A description of the character for the system message, which leaves out characters
            without one.
    """

    name: str
    aliases: tuple[str, ...] = ()
    voice: str = ""


@dataclass(frozen=True, slots=True)
class Opening:
    """The beginning of a scene, for writers to start from: its direction and first lines.

    Attributes:
        lines: Script lines, such as `[DOT] It does seem to be.`
        present: Characters in the scene in addition to the speakers of the lines.
    """

    lines: tuple[str, ...]
    premise: str = ""
    setting: str = ""
    present: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.lines:
            raise ValueError("an opening needs at least one line")
        for line in self.lines:
            if not isinstance(parse_line(line), Line):
                raise ValueError(f"opening: not a script line like '[NAME] words': '{line}'")
        for name in self.present:
            if not is_name(name):
                raise ValueError(f"opening: '{name}' cannot be a character's name")

    @property
    def script(self) -> tuple[Line, ...]:
        """The first lines, parsed."""
        parsed = map(parse_line, self.lines)
        return tuple(line for line in parsed if isinstance(line, Line))


@dataclass(frozen=True, slots=True)
class PromptText:
    """The show's part of the prompt, and suggestions for writers.

    Attributes:
        system: The system message. It can contain `{title}`, and `{cast}` for one line
            `- NAME: voice` for each character with a voice.
        premises: Premises to start a scene from.
        openings: Beginnings of scenes to continue.
    """

    format: CastFormatName
    system: str
    premises: tuple[str, ...] = ()
    openings: tuple[Opening, ...] = ()


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of a table's columns with the character, dialogue and episode of a speech."""

    character: str
    dialogue: str
    episode: str


@dataclass(frozen=True, slots=True)
class Titles:
    """A second table, with the titles of the episodes; `episode` and `title` are columns."""

    file: str
    episode: str
    title: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """The source of a show's scripts, and how to read them.

    Attributes:
        source: A folder beside the TOML file, or `kaggle:OWNER/NAME`.
        licence: Of the scripts; the report names it.
        file: The name of the table.
        columns: The columns of the table.
        titles: The table of the episodes' titles.
        setting_markers: A row whose character starts with one of these is a setting, not a speech.
        stage_business: Stage directions in the character column that look like names.
    """

    kind: Literal["fountain", "table"]
    source: str
    licence: str
    file: str = ""
    columns: Columns | None = None
    titles: Titles | None = None
    setting_markers: tuple[str, ...] = ()
    stage_business: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of turns that an episode is cut into, an example each.

    Attributes:
        turns: Maximum length.
        context: Turns at the start of a window that are the prompt; the others are the answer.
        minimum: Minimum length.
        stride: Turns from the start of a window to the start of the next.
    """

    turns: int = 35
    context: int = 5
    minimum: int = 15
    stride: int = 5

    def __post_init__(self) -> None:
        if not 0 < self.context < self.minimum <= self.turns or self.stride < 1:
            raise ValueError("windows need 0 < context < minimum <= turns and stride >= 1")


@dataclass(frozen=True, slots=True)
class Split:
    """The split into training and held-out episodes, and other random choices.

    Attributes:
        held_out: Share of the episodes that is held out.
        omit: Share of the examples that leave out each part of the direction, so that requests
            can leave it out too.
    """

    held_out: float = 0.1
    seed: int = 42
    omit: float = 0.25

    def __post_init__(self) -> None:
        if not 0 < self.held_out < 1 or not 0 <= self.omit <= 1:
            raise ValueError("split needs 0 < held_out < 1 and 0 <= omit <= 1")


@dataclass(frozen=True, slots=True)
class Generation:
    """The default sampling parameters for this show."""

    temperature: float = 0.8
    top_p: float = 0.95
    frequency_penalty: float = 0.3
    max_tokens: int = 256


@dataclass(frozen=True, slots=True)
class Show:
    """All data of one show."""

    name: str
    title: str
    cast: tuple[Character, ...]
    prompt: PromptText
    corpus: Corpus
    windows: Windows = field(default_factory=Windows)
    split: Split = field(default_factory=Split)
    generation: Generation = field(default_factory=Generation)

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or self.name != self.name.lower():
            raise ValueError(f"name '{self.name}' must be lower-case letters, digits and _")
        owners: dict[str, str] = {}
        for character in self.cast:
            if not is_name(character.name):
                raise ValueError(f"cast: '{character.name}' cannot be a character's name")
            for name in (character.name, *character.aliases):
                if name in owners:
                    raise ValueError(
                        f"cast: '{name}' stands for both {owners[name]} and {character.name}"
                    )
                owners[name] = character.name
        if not any(c.voice for c in self.cast):
            raise ValueError("cast: at least one character needs a voice")
        if self.corpus.kind == "table" and not (self.corpus.columns and self.corpus.file):
            raise ValueError("corpus: kind 'table' needs 'file' and 'columns'")

    @property
    def names(self) -> tuple[str, ...]:
        """The canonical names of the cast, in the order of the file: leading parts first."""
        return tuple(character.name for character in self.cast)

    @property
    def aliases(self) -> dict[str, str]:
        """The canonical names by alias."""
        return {alias: c.name for c in self.cast for alias in c.aliases}

    @property
    def system(self) -> str:
        """The system message, with its placeholders filled in."""
        cast = "\n".join(f"- {c.name}: {collapse(c.voice)}" for c in self.cast if c.voice)
        text = self.prompt.system.replace("{title}", self.title)
        return text.replace("{cast}", cast).strip()


def show_names() -> list[str]:
    """List the names of the shows in the checkout."""
    return sorted(path.parent.name for path in SHOWS.glob("*/show.toml"))


def show_path(name_or_path: str) -> Path:
    """Find a show's TOML file by the show's name or by a path.

    Raises:
        UserError: there is no such show; the message lists the known ones.
    """
    path = Path(name_or_path)
    if path.suffix == ".toml":
        if path.is_file():
            return path
        raise UserError(f"{path}: no such show file")
    path = SHOWS / name_or_path / "show.toml"
    if name_or_path not in show_names():
        known = ", ".join(show_names())
        raise UserError(f"no show '{name_or_path}'; known: {known}; or give a path to a .toml")
    return path


def load_show(name_or_path: str) -> Show:
    """Read a show by name or from a TOML file.

    Raises:
        UserError: the file is not valid; the message names it and the key.
    """
    path = show_path(name_or_path)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{path}: not a readable TOML file ({error})") from None
    return decode(Show, data, str(path))
