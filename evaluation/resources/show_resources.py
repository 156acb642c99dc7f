"""All resources of a show."""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evaluation.resources.character_model import CharacterModel, learn_characters
from evaluation.resources.order_model import OrderModel, learn_order
from evaluation.resources.topic_model import TopicModel
from evaluation.resources.voice_model import VoiceModel, learn_voices
from evaluation.resources.words import split_words
from nothing_gpt.errors import UserError
from nothing_gpt.line import Line, render_lines
from nothing_gpt.quotation import Quotations, hash_speech

_MOST_LEADS = 8


@dataclass(frozen=True)
class ShowResources:
    """What is learned from a show's training episodes, in seconds and without a GPU.

    Attributes:
        leads: The leading parts.
        episodes: The turns of each training episode.
        quotations: The speeches and turns of training.
        vocabulary: The words of all training turns.
    """

    leads: tuple[str, ...]
    episodes: tuple[Sequence[Line], ...]
    characters: CharacterModel
    voices: VoiceModel
    topics: TopicModel
    order: OrderModel
    quotations: Quotations
    vocabulary: frozenset[str]


def learn_show(episodes: Iterable[Sequence[Line]], speeches: Iterable[str]) -> ShowResources:
    """Learn a show's resources.

    Args:
        episodes: The turns of each training episode.
        speeches: The texts of the same episodes, before consecutive ones of a speaker were merged.

    Raises:
        UserError: there are no training episodes with two speakers.
    """
    found = tuple(episodes)
    turns = [turn for episode in found for turn in episode]
    leads = find_leads(turns)
    if len(leads) < 2:
        raise UserError("the training episodes have no two speakers; add scripts to the show")
    texts = {*speeches, *(turn.text for turn in turns)}
    hashes = sorted({key for text in texts if (key := hash_speech(text)) is not None})
    return ShowResources(
        leads=leads,
        episodes=found,
        characters=learn_characters([render_lines(episode) for episode in found]),
        voices=learn_voices(turns, leads),
        topics=TopicModel(found),
        order=learn_order(found),
        quotations=Quotations(array("Q", hashes)),
        vocabulary=frozenset(word for turn in turns for word in split_words(turn.text)),
    )


def find_leads(turns: Iterable[Line]) -> tuple[str, ...]:
    """Return the two to eight speakers before the largest drop in the number of turns."""
    ranked = Counter(turn.speaker for turn in turns).most_common(_MOST_LEADS + 1)
    counts = [count for _, count in ranked] + [0] * (len(ranked) <= _MOST_LEADS)
    drops = {size: counts[size - 1] / (counts[size] + 1) for size in range(2, len(counts))}
    size = max(drops, key=lambda key: drops[key], default=len(ranked))
    return tuple(name for name, _ in ranked[:size])
