"""The records between the steps: speeches as the sources have them, episodes of clean turns."""

from dataclasses import dataclass

from nothing_gpt.line import Line


@dataclass(frozen=True, slots=True)
class Speech:
    """One speech as its source has it, with its scene's premise and setting if known."""

    episode: str
    character: str
    dialogue: str
    premise: str = ""
    setting: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything read from a source.

    Attributes:
        speeches: In the order of the source.
        settings: The number of rows that were a setting rather than a speech.
        notes: Remarks on the source, for the report.
    """

    speeches: list[Speech]
    settings: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
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
