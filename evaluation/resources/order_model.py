"""An order model: which line would come next, by what the line before asks for and who spoke."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.resources.words import split_words
from nothing_gpt.line import Line

_FEATURES = 2**16
_MOST_TURNS = 15_000
"""Turns that are learned from, spread over the episodes, so that it takes seconds."""

_NEAR = 12
"""Turns before and after, from which the line is taken that does not come next."""

_RARE, _FREQUENT = 60, 1_000
"""Training turns below which a word that two lines share says much, or anything."""

_SEED = 0

Features = dict[str, float]

Step = tuple[str, Line, Line]
"""Who spoke before a line, the line, and one that may come next."""


@dataclass(frozen=True)
class OrderModel:
    """Logistic regression over how two lines fit together: their words, their marks, the names.

    Attributes:
        turns_with: How many training turns have a word.
        weights: Of the hashed features; all 0 if training has too few turns to learn from.
    """

    turns_with: Counter[str]
    weights: NDArray[np.float64]
    _hasher: Any

    def score(self, steps: Sequence[Step]) -> NDArray[np.float64]:
        """Return how well each step goes on; only differences mean anything."""
        if not steps:
            return np.empty(0)
        features = (_describe(*step, self.turns_with) for step in steps)
        scores: NDArray[np.float64] = self._hasher.transform(features) @ self.weights
        return scores


def learn_order(episodes: Sequence[Sequence[Line]]) -> OrderModel:
    """Learn to tell the next turn of a scene from another one nearby, by somebody else too."""
    from sklearn.feature_extraction import FeatureHasher
    from sklearn.linear_model import LogisticRegression

    turns_with = Counter(
        word for turns in episodes for turn in turns for word in set(split_words(turn.text))
    )
    places = [(turns, at) for turns in episodes for at in range(1, len(turns) - 1)]
    every = -(-len(places) // _MOST_TURNS) or 1
    draw = Random(_SEED)  # noqa: S311 - reproducible, not secret
    steps: list[Step] = []
    for turns, at in places[::every]:
        nearby = range(max(at - _NEAR, 0), min(at + _NEAR, len(turns)))
        others = [turns[other] for other in nearby if other not in (at, at + 1)]
        others = [other for other in others if other.speaker != turns[at].speaker]
        if others:
            before, line = turns[at - 1].speaker, turns[at]
            steps += [(before, line, turns[at + 1]), (before, line, draw.choice(others))]
    hasher = FeatureHasher(_FEATURES, alternate_sign=False)
    if not steps:
        return OrderModel(turns_with, np.zeros(_FEATURES), hasher)
    features = hasher.transform(_describe(*step, turns_with) for step in steps)
    classifier = LogisticRegression(C=0.3, max_iter=300)
    classifier.fit(features, [1, 0] * (len(steps) // 2))
    return OrderModel(turns_with, classifier.coef_[0], hasher)


def _describe(before: str, line: Line, candidate: Line, turns_with: Counter[str]) -> Features:
    """Return the features of a line and one that may come next."""
    own, other = _split_words(line.text), _split_words(candidate.text)
    opening = other[0] if other else ""
    end = _find_end(line.text)
    shared = set(own) & set(other)
    counts = [turns_with[word] for word in shared]
    known = math.fsum(math.log(_FREQUENT / count) for count in counts if 0 < count < _FREQUENT)
    features = {
        f"{end} {len(other) // 3 if len(other) < 18 else 6} long": 1.0,
        "shared": known / math.sqrt(max(len(own) * len(other), 1)),
        "rare": float(sum(count < _RARE for count in counts)),
        "named": float(_is_named(candidate.speaker, own)),
        "names": float(_is_named(line.speaker, other)),
        "back": float(candidate.speaker == before),
    }
    for cue in (end, *_find_cues(line.text, own)):
        features[f"{cue} > {opening}"] = 1.0
        features[f"{cue} > {' '.join(other[:2])}"] = 1.0
    return features


def _find_end(text: str) -> str:
    bare = text.rstrip("\"' ")
    marks = {"?": "?", "!": "!", "-": "...", "\u2014": "..."}
    return "..." if bare.endswith("...") else marks.get(bare[-1:], ".")


def _find_cues(text: str, words: Sequence[str]) -> Iterator[str]:
    """Yield what a line ends with: its last word, and how its last question begins."""
    yield f"last {words[-1] if words else ''}"
    if _find_end(text) == "?":
        question = text.rstrip("?\"' ").replace("!", ".").replace("?", ".").rpartition(".")[2]
        asked = _split_words(question)
        yield f"asks {' '.join(asked[:1])}"
        yield f"asks {' '.join(asked[:2])}"


def _is_named(speaker: str, words: Sequence[str]) -> bool:
    return any(word in words for word in _split_words(speaker))


@lru_cache(maxsize=1_000)
def _split_words(text: str) -> tuple[str, ...]:
    """Split text into words; each line is compared with several others."""
    return tuple(split_words(text))
