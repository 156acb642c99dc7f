"""A voice model: whose lines these are, by their words alone."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nothing_gpt.line import Line

_WORD = re.compile(r"[^\W_]+")
_TOKEN = r"[\w']+|[!?.]+"  # noqa: S105 - a pattern of words and the marks at their ends
_MASK = "NAME"


@dataclass(frozen=True)
class VoiceModel:
    """Naive Bayes over words and pairs of words, with the names of characters masked.

    Attributes:
        speakers: The speakers it tells apart.
        names: The words that are masked, in lower case.
    """

    speakers: tuple[str, ...]
    names: frozenset[str]
    _vectorizer: Any
    _classifier: Any
    _known: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def guess_speaker(self, texts: Sequence[str]) -> str:
        """Return who is the likeliest to have said all of these lines."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            masked = [mask_names(text, self.names) for text in new]
            counts = self._vectorizer.transform(masked)
            self._known.update(zip(new, self._classifier.predict_log_proba(counts), strict=True))
        total = np.sum([self._known[text] for text in texts], axis=0)
        return str(self._classifier.classes_[total.argmax()])


def learn_voices(turns: Sequence[Line], speakers: tuple[str, ...]) -> VoiceModel:
    """Learn to tell speakers apart by their turns in the training episodes."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.naive_bayes import MultinomialNB

    names = _list_name_words(turns)
    own = [turn for turn in turns if turn.speaker in speakers]
    vectorizer = CountVectorizer(ngram_range=(1, 2), min_df=2, token_pattern=_TOKEN)
    counts = vectorizer.fit_transform([mask_names(turn.text, names) for turn in own])
    classifier = MultinomialNB(alpha=0.5, fit_prior=False)
    classifier.fit(counts, [turn.speaker for turn in own])
    return VoiceModel(speakers, names, vectorizer, classifier)


def mask_names(text: str, names: Collection[str]) -> str:
    """Replace the characters' names in a text: whom somebody talks to gives them away."""
    return _WORD.sub(lambda found: _MASK if found[0].lower() in names else found[0], text)


def _list_name_words(turns: Sequence[Line]) -> frozenset[str]:
    """Return the words of the names of those who speak; MR and the like stay."""
    speakers = {turn.speaker for turn in turns}
    return frozenset(
        word.lower() for name in speakers for word in _WORD.findall(name) if len(word) > 2
    )
