"""What became of every line of the sources, and speakers who may be missing from the cast."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from data_prep.episode import NearMiss, Reading
from data_prep.examples.cleaning import Cleaned
from nothing_gpt.show import Show

_MANY = 0.01
"""The share of lines above which a speaker outside the cast is worth a look."""


@dataclass(frozen=True, slots=True)
class LineCounts:
    """The number of lines that were read, rows of tables too; `read` is the sum of all others."""

    read: int = 0
    speech: int = 0
    setting: int = 0
    direction: int = 0
    dropped: dict[str, int] = field(default_factory=dict)


def count_lines(reading: Reading, cleaned: Cleaned) -> LineCounts:
    """Count the lines of all kinds."""
    dropped = {str(reason): count for reason, count in cleaned.dropped_lines.items()}
    left_out = {reason: texts.total() for reason, texts in reading.left_out.items()}
    return LineCounts(
        read=cleaned.lines + reading.settings + reading.directions + sum(left_out.values()),
        speech=cleaned.lines - sum(dropped.values()),
        setting=reading.settings,
        direction=reading.directions,
        dropped={**dropped, **left_out},
    )


def find_strangers(cleaned: Cleaned, show: Show) -> Iterator[NearMiss]:
    """Find speakers outside the cast who say much, the most talkative first."""
    turns = (turn for episode in cleaned.episodes for turn in episode.turns)
    counts = Counter(turn.line.speaker for turn in turns)
    cast = frozenset(show.names)
    for name, count in counts.most_common():
        if name not in cast and count > _MANY * counts.total():
            file, line = cleaned.first_places[name]
            reason = (
                f"has {count / counts.total():.1%} of the lines, but is not in the show's cast"
            )
            yield NearMiss(file, line, name, reason)
