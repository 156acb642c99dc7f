"""Tallies: what a row counts in passages."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np

from evaluation.passages import Passage
from evaluation.resources.order_model import Step
from evaluation.resources.show_resources import ShowResources
from evaluation.resources.words import split_words
from nothing_gpt.line import Line, render_lines
from nothing_gpt.quotation import hash_speech

POOL = 10
"""Lines of one speaker that are judged together."""

ECHO_WORDS = 4
"""Words of a run that counts as an echo when the scene has had it before."""


@dataclass(frozen=True, slots=True)
class Tally:
    """An amount and what it is a share of, in one episode; a row's value is a ratio of sums."""

    episode: str
    amount: float
    size: float


_MOST_OTHERS = 5
"""Other lines, spread over the passage, that a next line is compared with."""

Count = Callable[[Sequence[Passage], ShowResources], list[Tally]]


def count_each(count: Callable[[Passage, ShowResources], tuple[float, float]]) -> Count:
    """Make a count of passages from a count of one: its amount, and what it is a share of."""

    def count_all(passages: Sequence[Passage], show: ShowResources) -> list[Tally]:
        return [Tally(passage.episode, *count(passage, show)) for passage in passages]

    return count_all


def count_parsed(passage: Passage, show: ShowResources) -> tuple[float, float]:
    """Count lines of the raw text that parse."""
    return sum(isinstance(line, Line) for line in passage.written), len(passage.written)


def count_bits(passage: Passage, show: ShowResources) -> tuple[float, float]:
    """Count the bits of a passage under the character model, a character."""
    text = render_lines(passage.lines)
    return show.characters.count_bits(text, render_lines(passage.context) + "\n"), len(text)


def count_leads(passage: Passage, show: ShowResources) -> tuple[float, float]:
    """Count lines of the leading parts."""
    return sum(line.speaker in show.leads for line in passage.lines), len(passage.lines)


def count_exclamations(passage: Passage, show: ShowResources) -> tuple[float, float]:
    """Count lines with an exclamation mark."""
    return sum("!" in line.text for line in passage.lines), len(passage.lines)


def count_echoes(passage: Passage, show: ShowResources) -> tuple[float, float]:
    """Count lines of which at least half of the runs of words were said before in the scene."""
    known = {run for line in passage.context for run in _list_runs(line)}
    echoes = 0
    for line in passage.lines:
        runs = _list_runs(line)
        again = [run in known or run in runs[:at] for at, run in enumerate(runs)]
        echoes += bool(runs) and 2 * sum(again) >= len(runs)
        known.update(runs)
    return echoes, len(passage.lines)


def count_quotations(passage: Passage, show: ShowResources) -> tuple[float, float]:
    """Count lines that are speeches of the training episodes, among those that are long enough."""
    long = [line for line in passage.lines if hash_speech(line.text) is not None]
    return sum(show.quotations.contains(line.text) for line in long), len(long)


def count_known_words(passage: Passage, show: ShowResources) -> tuple[float, float]:
    """Count words that the training episodes have."""
    words = [word for line in passage.lines for word in split_words(line.text)]
    return sum(word in show.vocabulary for word in words), len(words)


def count_words(passage: Passage, show: ShowResources) -> tuple[float, float]:
    """Count words, a line."""
    return sum(len(split_words(line.text)) for line in passage.lines), len(passage.lines)


def count_late_words(passage: Passage, show: ShowResources) -> tuple[float, float]:
    """Count words in a passage's second half, a line."""
    late = passage.lines[len(passage.lines) // 2 :]
    return sum(len(split_words(line.text)) for line in late), len(late)


def count_speakers(passage: Passage, show: ShowResources) -> tuple[float, float]:
    """Count speakers, a passage."""
    return len({line.speaker for line in passage.lines}), bool(passage.lines)


def count_lines(passage: Passage, show: ShowResources) -> tuple[float, float]:
    """Count lines before passages are cut, a passage."""
    return len(passage.written), 1


def count_nothing(passages: Sequence[Passage], show: ShowResources) -> list[Tally]:
    """Count nothing, for a row that scenes do not give."""
    return []


def count_voices(passages: Sequence[Passage], show: ShowResources) -> list[Tally]:
    """Count pools of a lead's lines that sound like that lead.

    A pool has up to ten lines of one lead, from the passages of one episode and one sample; a rest
    of fewer than five lines is left out.
    """
    said: dict[tuple[str, int, str], list[str]] = {}
    for passage in passages:
        for line in passage.lines:
            if line.speaker in show.leads:
                key = passage.episode, passage.sample, line.speaker
                said.setdefault(key, []).append(line.text)
    return [
        Tally(episode, show.voices.guess_speaker(pool) == speaker, 1)
        for (episode, _, speaker), texts in said.items()
        for pool in _cut_pools(texts)
    ]


def _cut_pools(texts: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(texts), POOL):
        pool = texts[start : start + POOL]
        if 2 * len(pool) >= POOL:
            yield pool


def count_context_fit(passages: Sequence[Passage], show: ShowResources) -> list[Tally]:
    """Count contexts of other episodes that a passage's words are farther from than its own."""
    spoken = [passage for passage in passages if passage.lines]
    contexts = list({passage.context: passage.episode for passage in spoken}.items())
    columns = {context: column for column, (context, _) in enumerate(contexts)}
    cosines = show.topics.compare(
        [passage.lines for passage in spoken], [context for context, _ in contexts]
    )
    episodes = np.array([episode for _, episode in contexts])
    tallies = []
    for passage, row in zip(spoken, cosines, strict=True):
        others = row[episodes != passage.episode]
        own = row[columns[passage.context]]
        won = np.count_nonzero(others < own) + np.count_nonzero(others == own) / 2
        if len(others):
            tallies.append(Tally(passage.episode, float(won / len(others)), 1))
    return tallies


def count_order(passage: Passage, show: ShowResources) -> tuple[float, float]:
    """Count other lines of a passage that would follow a line less well than the next one does.

    Only lines of other speakers than the line's are compared, so that turns that follow each
    other are by two people in all of them.
    """
    before = passage.context[-1].speaker if passage.context else ""
    groups: list[list[Step]] = []
    for at, (line, following) in enumerate(pairwise(passage.lines)):
        others = [x for i, x in enumerate(passage.lines) if i not in (at, at + 1)]
        others = [other for other in others if other.speaker != line.speaker]
        others = others[:: -(-len(others) // _MOST_OTHERS) or 1]
        if others and following.speaker != line.speaker:
            groups.append([(before, line, candidate) for candidate in (following, *others)])
        before = line.speaker
    scores = iter(show.order.score([step for group in groups for step in group]))
    won = 0.0
    for group in groups:
        own, *rest = islice(scores, len(group))
        won += sum((other < own) + (other == own) / 2 for other in rest) / len(rest)
    return won, len(groups)


def _list_runs(line: Line) -> list[tuple[str, ...]]:
    words = split_words(line.text)
    return [tuple(words[at : at + ECHO_WORDS]) for at in range(len(words) - ECHO_WORDS + 1)]
