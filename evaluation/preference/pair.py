"""Pairs: two continuations of one context, to be shown without their names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from random import Random

from evaluation.passages import Key
from evaluation.preference.kept_scenes import KeptScenes
from nothing_gpt.files import fingerprint
from nothing_gpt.line import Line, render_lines
from nothing_gpt.prompt import Message
from nothing_gpt.show import FormatName
from nothing_gpt.votes.vote import Writer


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two continuations.

    Attributes:
        label: What results call it.
        prompt: What a model is asked with; for real scenes, as the other side's model.
    """

    label: str
    writer: Writer
    lines: tuple[Line, ...]
    prompt: tuple[Message, ...]
    format: FormatName
    settings: dict[str, float] | None

    @property
    def text(self) -> str:
        """The lines, as a model writes them."""
        return render_lines(self.lines)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two continuations, in an order that follows from their texts alone.

    Attributes:
        id: Follows from the context and both texts, so votes find their pair.
    """

    id: str
    episode: str
    context: tuple[Line, ...]
    sides: tuple[Side, Side]

    @property
    def context_text(self) -> str:
        """The lines of the context."""
        return render_lines(self.context)


def identify_pair(context: str, first: str, second: str) -> str:
    """Return the id of two texts after a context, in any order."""
    return fingerprint([context, *sorted((first, second))])[:16]


def plan_pairs(found: Sequence[KeptScenes]) -> list[Pair]:
    """Plan all pairs: each window once before one comes again, and models in turn.

    Both texts have as many lines as the shorter one, so length says nothing. Pairs without a line
    or with equal texts are left out.
    """
    pairs: dict[str, Pair] = {}
    for key, first, second in _list_comparisons(found):
        pair = _make_pair(key, first, second)
        if pair:
            pairs.setdefault(pair.id, pair)
    return list(pairs.values())


def _list_comparisons(found: Sequence[KeptScenes]) -> Iterator[tuple[Key, KeptScenes, KeptScenes]]:
    comparisons = list(combinations(found, 2))
    keys = sorted({key for each in found for key in each.written})
    draw = Random(0)  # noqa: S311 - reproducible, not secret
    for sample in sorted({sample for _, sample in keys}):
        numbers = [number for number, own in keys if own == sample]
        draw.shuffle(numbers)
        for turn in range(len(comparisons)):
            for at, number in enumerate(numbers):
                yield (number, sample), *comparisons[(at + turn) % len(comparisons)]


def _make_pair(key: Key, first: KeptScenes, second: KeptScenes) -> Pair | None:
    count = min(len(first.find_lines(key)), len(second.find_lines(key)))
    sides = _make_side(key, first, second, count), _make_side(key, second, first, count)
    if not count or sides[0].text == sides[1].text:
        return None
    window = first.windows[key[0]]
    id_ = identify_pair(sides[0].prompt[-1]["content"], sides[0].text, sides[1].text)
    left, right = sorted(sides, key=lambda side: side.text)
    is_turned = Random(id_).random() < 0.5  # noqa: S311 - reproducible, not secret
    shown = (right, left) if is_turned else (left, right)
    return Pair(id_, window.episode, window.context, shown)


def _make_side(key: Key, own: KeptScenes, other: KeptScenes, count: int) -> Side:
    asked = other if own.is_real else own
    return Side(
        label=own.label,
        writer=own.describe_writer(key),
        lines=own.find_lines(key)[:count],
        prompt=asked.windows[key[0]].messages,
        format=asked.format,
        settings=own.settings,
    )
