"""A show as data: its cast, prompt, corpus and settings, read from one TOML file."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from nothing_gpt.errors import UserError
from nothing_gpt.line import Line, collapse, is_name, parse_line
from nothing_gpt.records import decode

SHOWS = Path(__file__).resolve().parent.parent / "shows"
"""The folder of shows that come with the checkout, one `NAME/show.toml` each."""

CastFormatName = Literal["script", "directed"]
"""Formats that write for the whole cast: those that a show may have and a room may ask for."""

FormatName = Literal[CastFormatName, "single-turn", "per-character"]
"""All formats; the last two answer as one character (`nothing_gpt.prompt`)."""


@dataclass(frozen=True, slots=True)
class Character:
    """One of the cast. The system message names those that have a voice."""

    name: str
    aliases: tuple[str, ...] = ()
    voice: str = ""


@dataclass(frozen=True, slots=True)
class Opening:
    """The beginning of a scene that a writer can take over: its direction and first lines.

    `lines` are script lines, `[DOT] It does seem to be.`; `present` are those who will be in
    the scene besides the speakers of these lines.
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
        """The first lines, read."""
        parsed = map(parse_line, self.lines)
        return tuple(line for line in parsed if isinstance(line, Line))


@dataclass(frozen=True, slots=True)
class PromptText:
    """What the model is told before every scene.

    `system` may hold `{title}` and `{cast}`; the latter becomes one `- NAME: voice` line each.
    `premises` are ideas that a writer can start from, `openings` whole beginnings.
    """

    format: CastFormatName
    system: str
    premises: tuple[str, ...] = ()
    openings: tuple[Opening, ...] = ()


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a table hold what; `character` and `dialogue` make a speech."""

    character: str
    dialogue: str
    episode: str


@dataclass(frozen=True, slots=True)
class Titles:
    """A second table that gives each episode its title."""

    file: str
    episode: str
    title: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """Where a show's scripts come from and how they are read.

    `source` is a folder beside the TOML file, or `kaggle:OWNER/NAME`. `columns` is for tables;
    rows whose character starts with one of `setting_markers` tell the setting, not a speech.
    `stage_business` are leftovers that look like names.
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
    """How an episode's turns are cut into examples.

    A window starts every `stride` turns while at least `minimum` turns are left, spans up to
    `turns` of them, and its first `context` turns are given, the rest to be written.
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
    """Which share of the episodes is held out, drawn with which seed.

    `omit` is the share of examples from which each part of the direction is left out, so that
    a request may leave it out too.
    """

    held_out: float = 0.1
    seed: int = 42
    omit: float = 0.25

    def __post_init__(self) -> None:
        if not 0 < self.held_out < 1 or not 0 <= self.omit <= 1:
            raise ValueError("split needs 0 < held_out < 1 and 0 <= omit <= 1")


@dataclass(frozen=True, slots=True)
class Generation:
    """How this show is best sampled, unless a writer says otherwise."""

    temperature: float = 0.8
    top_p: float = 0.95
    frequency_penalty: float = 0.3
    max_tokens: int = 256


@dataclass(frozen=True, slots=True)
class Show:
    """Everything that is particular to one show."""

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
        taken: dict[str, str] = {}
        for character in self.cast:
            if not is_name(character.name):
                raise ValueError(f"cast: '{character.name}' cannot be a character's name")
            for name in (character.name, *character.aliases):
                if name in taken:
                    raise ValueError(
                        f"cast: '{name}' stands for both {taken[name]} and {character.name}"
                    )
                taken[name] = character.name
        if not any(c.voice for c in self.cast):
            raise ValueError("cast: at least one character needs a voice")
        if self.corpus.kind == "table" and not (self.corpus.columns and self.corpus.file):
            raise ValueError("corpus: kind 'table' needs 'file' and 'columns'")

    @property
    def names(self) -> tuple[str, ...]:
        """The cast's canonical names, leading parts first."""
        return tuple(character.name for character in self.cast)

    @property
    def aliases(self) -> dict[str, str]:
        """Every other name of a character, with the canonical one."""
        return {alias: c.name for c in self.cast for alias in c.aliases}

    @property
    def system(self) -> str:
        """The system message, its placeholders filled in."""
        cast = "\n".join(f"- {c.name}: {collapse(c.voice)}" for c in self.cast if c.voice)
        text = self.prompt.system.replace("{title}", self.title)
        return text.replace("{cast}", cast).strip()


def show_names() -> list[str]:
    """List the shows that come with the checkout."""
    return sorted(path.parent.name for path in SHOWS.glob("*/show.toml"))


def show_path(name_or_path: str) -> Path:
    """Find a show's TOML file by the show's name or by a path.

    Raises:
        UserError: there is no such show; the message lists those there are.
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
        UserError: naming the file, the key and what to do.
    """
    path = show_path(name_or_path)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{path}: not a readable TOML file ({error})") from None
    return decode(Show, data, str(path))
