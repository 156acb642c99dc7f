"""The records between the steps: speeches as the sources have them, episodes of clean turns."""

from collections import Counter
from dataclasses import dataclass, field

from nothing_gpt.line import Line


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A line that looks like something else than what it was taken for, and the reason."""

    file: str
    line: int
    text: str
    reason: str


# Speeches and turns are not frozen: there are a million of each in a large source, and a frozen
# one takes six times as long to make.


@dataclass(slots=True)
class Speech:
    """One speech as its source has it, with its scene's premise and setting if known.

    Attributes:
        file: Where it is from; `line` is where it begins there.
        lines: How many lines of the source it is, with its cue; a row of a table is one.
    """

    episode: str
    character: str
    dialogue: str
    premise: str = ""
    setting: str = ""
    file: str = field(default="", compare=False, repr=False)
    line: int = field(default=0, compare=False, repr=False)
    lines: int = field(default=1, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything read from a source. Empty lines do not count.

    Attributes:
        speeches: In the order of the source.
        settings: The number of lines that tell the setting or the premise; `setting_rows` is how
            many of them are rows of tables.
        directions: The number of lines that are stage directions.
        left_out: The other lines: for each reason, the texts and how many lines each is.
        near_misses: In the order of the source.
        notes: Remarks on the source, for the report.
    """

    speeches: list[Speech]
    settings: int = 0
    setting_rows: int = 0
    directions: int = 0
    left_out: dict[str, Counter[str]] = field(default_factory=dict)
    near_misses: tuple[NearMiss, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Turn:
    """A line of an episode, with its scene's premise and setting."""

    line: Line
    premise: str = ""
    setting: str = ""


@dataclass(frozen=True, slots=True)
class Episode:
    """An episode's turns in order."""

    id: str
    turns: list[Turn]
