"""Windows of an episode's turns, each made into a training example."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import TypedDict

from data_prep.episode import Episode, Turn
from nothing_gpt.line import Line, RenderedLines
from nothing_gpt.prompt import (
    Direction,
    DirectionPart,
    Message,
    build_completion,
    build_messages,
    parts_of,
    turns_given,
)
from nothing_gpt.show import FormatName, Show, Windows

_speaker_of = attrgetter("line.speaker")


class TrainingExample(TypedDict):
    """A record of train.jsonl and val.jsonl, as TRL's trainer reads it."""

    prompt: list[Message]
    completion: list[Message]


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive merged turns of an episode; `start` is the index of the first one."""

    episode: str
    start: int
    turns: Sequence[Turn]
    lines: RenderedLines = field(compare=False, repr=False)


def merge_turns(turns: Sequence[Turn]) -> list[Turn]:
    """Merge consecutive turns of one speaker; the result is in the scene of the first."""
    merged = []
    for speaker, group in groupby(turns, key=_speaker_of):
        first, *rest = group
        if rest:
            text = " ".join([first.line.text, *(turn.line.text for turn in rest)])
            first = Turn(Line(speaker, text), first.premise, first.setting)
        merged.append(first)
    return merged


def cut_windows(episode: Episode, windows: Windows) -> Iterator[Window]:
    """Cut an episode of merged turns into windows, none shorter than the show's minimum."""
    turns = episode.turns
    lines = RenderedLines([turn.line for turn in turns])
    for start in range(0, len(turns) - windows.minimum + 1, windows.stride):
        end = start + windows.turns
        yield Window(episode.id, start, turns[start:end], lines.part(start, end))


def cut_answers(episode: Episode, context: int, speakers: Collection[str]) -> Iterator[Window]:
    """Cut a window for each turn of these speakers: the turn, after `context` turns before it."""
    turns = episode.turns
    lines = RenderedLines([turn.line for turn in turns])
    for last in range(context, len(turns)):
        if turns[last].line.speaker in speakers:
            start, end = last - context, last + 1
            yield Window(episode.id, start, turns[start:end], lines.part(start, end))


def cut_episode(episode: Episode, show: Show, format_name: FormatName) -> Iterator[Window]:
    """Cut an episode of merged turns into the windows that a format needs.

    Formats that answer as one character do so as each member of the cast that has a voice.
    """
    context = turns_given(format_name)
    if context is None:
        return cut_windows(episode, show.windows)
    return cut_answers(episode, context, {c.name for c in show.voiced})


def build_direction(window: Window, show: Show, format_name: FormatName) -> Direction:
    """Build the direction of a window's scene, as it is when the completion begins.

    Each part is left out of a share of the windows. The draw depends only on the seed, the window
    and the part, so that a new episode or part changes no other example.
    """
    parts = parts_of(format_name)
    if not parts:
        return Direction()

    place = f"{show.split.seed}\0{window.episode}\0{window.start}\0"

    def includes(part: DirectionPart) -> bool:
        return part in parts and _fraction(place + part) >= show.split.omit

    first = window.turns[show.windows.context]
    present = map(_speaker_of, window.turns) if includes("present") else ()
    return Direction(
        premise=first.premise if includes("premise") else "",
        setting=first.setting if includes("setting") else "",
        present=tuple(dict.fromkeys(present)),
    )


def build_example(
    window: Window, direction: Direction, show: Show, format_name: FormatName
) -> TrainingExample:
    """Build the chat that asks for a window's later turns, with those turns as the answer."""
    fixed_context = turns_given(format_name)
    start = show.windows.context if fixed_context is None else fixed_context
    context, answer = window.lines.part(0, start), window.lines.part(start)
    speaker = answer[0].speaker
    return {
        "prompt": build_messages(show, format_name, context, direction, speaker=speaker),
        "completion": build_completion(answer, format_name),
    }


def _fraction(text: str) -> float:
    """Hash text to a number in [0, 1), the same on every machine and version of Python."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64
