"""The scripts of a show, and how they become training examples."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of a table's columns with the parts of a speech.

    A column that is not named is found by the usual names.

    Attributes:
        episode: One column, or several, such as season and episode, that make an episode's id.
        setting: The column of the scene or its setting, or several; optional.
    """

    character: str = ""
    dialogue: str = ""
    episode: str | tuple[str, ...] = ()
    setting: str | tuple[str, ...] = ()

    @property
    def episode_columns(self) -> tuple[str, ...]:
        """The columns of the episode."""
        return (self.episode,) if isinstance(self.episode, str) else self.episode

    @property
    def setting_columns(self) -> tuple[str, ...]:
        """The columns of the setting."""
        return (self.setting,) if isinstance(self.setting, str) else self.setting


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
        source: A folder, zip or file beside the TOML file, `kaggle:OWNER/NAME` or
            `hf:OWNER/NAME`.
        licence: Of the scripts; the report names it.
        kind: How text files are read whose contents do not say what they are; without one it is
            found for each file.
        file: The name of the table, if only one of the source's files is to be read.
        columns: The columns of the table.
        delimiter: Between the columns; without one it is found by the header.
        where: Columns and values; rows with other values are left out. Case makes no difference.
        titles: The table of the episodes' titles.
        setting_markers: A row whose character starts with one of these is a setting, not a speech.
        stage_business: Stage directions in the character column that look like names.
        nested_asides: A parenthesis in a speech may hold others; if not, it ends at the first
            that closes, as in the reference.
        groups: What becomes of speeches of several people, such as ANN & BOB or BOTH: a line of
            each, if they are named (split); a character of their own, if the name is valid
            between brackets (keep); or nothing (drop). An alias makes a name of any of them.
    """

    source: str
    licence: str
    kind: Literal["", "fountain", "transcript", "table"] = ""
    file: str = ""
    columns: Columns | None = None
    delimiter: str = ""
    where: dict[str, str] = field(default_factory=dict)
    titles: Titles | None = None
    setting_markers: tuple[str, ...] = ()
    stage_business: tuple[str, ...] = ()
    nested_asides: bool = True
    groups: Literal["split", "keep", "drop"] = "drop"

    def __post_init__(self) -> None:
        if len(self.delimiter) > 1 or self.delimiter in ('"', "\n", "\r"):
            raise ValueError("corpus: 'delimiter' must be one character, such as , or ;")


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
