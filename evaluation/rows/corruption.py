"""Corruptions: real passages, each spoiled in one way, for floors and self-tests."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from evaluation.passages import Passage
from evaluation.resources.show_resources import ShowResources
from nothing_gpt.line import Line, MalformedLine

Corruption = Callable[[Sequence[Passage], ShowResources], list[Passage]]

_SEED = 0


def drop_brackets(passages: Sequence[Passage], show: ShowResources) -> list[Passage]:
    """Write NAME: words in place of script lines."""
    return [
        replace(p, written=tuple(MalformedLine(f"{x.speaker}: {x.text}") for x in p.lines))
        for p in passages
    ]


def shuffle_speakers(passages: Sequence[Passage], show: ShowResources) -> list[Passage]:
    """Deal the speakers of a passage out to its lines anew."""
    return [_shuffle(passage, number, apart=True) for number, passage in enumerate(passages)]


def shuffle_lines(passages: Sequence[Passage], show: ShowResources) -> list[Passage]:
    """Put the lines of a passage into another order."""
    return [_shuffle(passage, number, apart=False) for number, passage in enumerate(passages)]


def _shuffle(passage: Passage, number: int, *, apart: bool) -> Passage:
    draw = random.Random(f"{_SEED} {number}")  # noqa: S311 - reproducible, not secret
    lines = list(passage.lines)
    if not apart:
        draw.shuffle(lines)
        return _with_lines(passage, lines)
    speakers = [line.speaker for line in lines]
    draw.shuffle(speakers)
    dealt = zip(speakers, lines, strict=True)
    return _with_lines(passage, [Line(speaker, line.text) for speaker, line in dealt])


def repeat_first_lines(passages: Sequence[Passage], show: ShowResources) -> list[Passage]:
    """Say the first three lines of a passage again and again."""
    return [_with_lines(p, [p.lines[at % 3] for at in range(len(p.lines))]) for p in passages]


def copy_training(passages: Sequence[Passage], show: ShowResources) -> list[Passage]:
    """Take as many turns, in a row, of a training episode."""
    draw = random.Random(_SEED)  # noqa: S311
    copied = []
    for passage in passages:
        wanted = len(passage.lines)
        episode = draw.choice([turns for turns in show.episodes if len(turns) >= wanted])
        start = draw.randint(0, len(episode) - wanted)
        copied.append(_with_lines(passage, episode[start : start + wanted]))
    return copied


def give_all_to_leads(passages: Sequence[Passage], show: ShowResources) -> list[Passage]:
    """Give the lines of all others to the leading parts."""
    draw = random.Random(_SEED)  # noqa: S311
    return [
        _with_lines(
            p,
            [
                x if x.speaker in show.leads else Line(draw.choice(show.leads), x.text)
                for x in p.lines
            ],
        )
        for p in passages
    ]


def swap_contexts(passages: Sequence[Passage], show: ShowResources) -> list[Passage]:
    """Give each passage the context of another episode's."""
    draw = random.Random(_SEED)  # noqa: S311
    swapped = []
    for passage in passages:
        others = [other for other in passages if other.episode != passage.episode]
        context = draw.choice(others).context if others else passage.context
        swapped.append(replace(passage, context=context))
    return swapped


def soften_marks(passages: Sequence[Passage], show: ShowResources) -> list[Passage]:
    """Write a full stop for every exclamation mark."""
    return [
        _with_lines(p, [Line(x.speaker, x.text.replace("!", ".")) for x in p.lines])
        for p in passages
    ]


def _with_lines(passage: Passage, lines: Sequence[Line]) -> Passage:
    return replace(passage, written=tuple(lines), lines=tuple(lines))
