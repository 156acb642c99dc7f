"""The scores of a set of scenes."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nothing_gpt.line import Line, MalformedLine

LEAST_LINES = 10
"""Fewest lines of a complete scene; shorter scenes are scored too, and counted as short."""

ECHO_WORDS = 4
"""Words of a run that counts as an echo when the scene has it a second time."""

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")

Scene = tuple[Sequence[Line], Sequence[Line | MalformedLine]]
"""A context, and the lines that follow it."""


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Scores of a set of scenes; shares are between 0 and 1.

    Attributes:
        parsed: Share of lines that parse.
        known_words: Share of words that occur in the show's scripts.
        repeated: Share of parsed lines that occur earlier in their scene or its context.
        echoed: Share of runs of `ECHO_WORDS` words in a line that occur earlier there.
        quoted: Share of parsed lines that equal a whole speech of the training scripts.
        line_words: Mean number of words in a parsed line.
        late_line_words: The same for the second half of each scene.
        short: Number of scenes below `LEAST_LINES`.
        fewest_speakers: Number of speakers in the scene with the fewest.
    """

    scenes: int
    lines: int
    parsed: float
    known_words: float
    repeated: float
    echoed: float
    quoted: float
    line_words: float
    late_line_words: float
    short: int
    fewest_speakers: int


def words(text: str) -> list[str]:
    """Split text into lower-case words; apostrophes inside a word stay."""
    return _WORD.findall(text.lower().replace("\u2019", "'"))


def score(scenes: Sequence[Scene], vocabulary: set[str], scripts: set[str]) -> Scorecard:
    """Score scenes.

    Args:
        vocabulary: The words of the show's scripts.
        scripts: The texts of all training speeches, to recognise quotations.
    """
    parsed = [[line for line in written if isinstance(line, Line)] for _, written in scenes]
    spoken = [words(line.text) for lines in parsed for line in lines]
    lines = sum(len(written) for _, written in scenes)
    late = [line for each in parsed for line in each[len(each) // 2 :]]
    repeated = [
        again
        for (context, _), each in zip(scenes, parsed, strict=True)
        for again in _find_repeated([line.text for line in context], [line.text for line in each])
    ]
    echoed = [
        again
        for (context, _), each in zip(scenes, parsed, strict=True)
        for again in _find_repeated(_list_runs(context), _list_runs(each))
    ]
    return Scorecard(
        scenes=len(scenes),
        lines=lines,
        parsed=len(spoken) / max(lines, 1),
        known_words=_mean([word in vocabulary for each in spoken for word in each]),
        repeated=_mean(repeated),
        echoed=_mean(echoed),
        quoted=_mean([line.text in scripts for each in parsed for line in each]),
        line_words=_mean([len(each) for each in spoken]),
        late_line_words=_mean([len(words(line.text)) for line in late]),
        short=sum(len(written) < LEAST_LINES for _, written in scenes),
        fewest_speakers=min((len({x.speaker for x in each}) for each in parsed), default=0),
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / max(len(values), 1)


def _list_runs(lines: Sequence[Line]) -> list[str]:
    spoken = [words(line.text) for line in lines]
    return [
        " ".join(each[start : start + ECHO_WORDS])
        for each in spoken
        for start in range(len(each) - ECHO_WORDS + 1)
    ]


def _find_repeated(earlier: Sequence[str], texts: Sequence[str]) -> Iterator[bool]:
    """Tell of each text whether it is among the earlier ones or those before it."""
    known = set(earlier)
    for text in texts:
        yield text in known
        known.add(text)
