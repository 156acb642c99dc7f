"""A topic model: how near a passage's words are to those of a context."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nothing_gpt.line import Line

_TOKEN = r"[\w']+"  # noqa: S105 - a pattern of words

_CHUNK = 15
"""Turns of a piece of training text, about a scene: rare words are those of few pieces."""


class TopicModel:
    """The words of lines as vectors, weighted by TF-IDF."""

    def __init__(self, episodes: Sequence[Sequence[Line]]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._vectorizer: Any = TfidfVectorizer(token_pattern=_TOKEN)
        self._vectorizer.fit(
            _join_texts(turns[start : start + _CHUNK])
            for turns in episodes
            for start in range(0, len(turns), _CHUNK)
        )

    def compare(
        self, passages: Sequence[Sequence[Line]], contexts: Sequence[Sequence[Line]]
    ) -> NDArray[np.float64]:
        """Return the cosine of each passage (row) with each context (column)."""
        rows = self._vectorizer.transform([_join_texts(lines) for lines in passages])
        columns = self._vectorizer.transform([_join_texts(lines) for lines in contexts])
        cosines: NDArray[np.float64] = (rows @ columns.T).toarray()
        return cosines


def _join_texts(lines: Sequence[Line]) -> str:
    return " ".join(line.text for line in lines)
