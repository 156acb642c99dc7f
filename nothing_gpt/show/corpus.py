"""The scripts of a show, and how they become training examples."""

from dataclasses import dataclass
from typing import Literal


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
