"""What both kinds of source become: speeches as they stand, then episodes of clean turns."""

from dataclasses import dataclass

from nothing_gpt.line import Line


@dataclass(frozen=True, slots=True)
class Speech:
    """One speech as its source has it, with the scene around it where the source knows it."""

    episode: str
    character: str
    dialogue: str
    premise: str = ""
    setting: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything read from a source.

    `settings` counts the rows that told a setting instead of a speech; `notes` are what a
    person should know about the source.
    """

    speeches: list[Speech]
    settings: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """A line of an episode, and the scene it is spoken in."""

    line: Line
    premise: str = ""
    setting: str = ""


@dataclass(frozen=True, slots=True)
class Episode:
    """An episode's turns in order."""

    id: str
    turns: list[Turn]
