"""All examples of a show's episodes, one after the other, with a count of what they hold."""

from collections.abc import Iterable, Iterator

from data_prep.episode import Episode
from data_prep.examples.token_lengths import TokenLengths, count_lengths
from data_prep.examples.tokenizer import Counter
from data_prep.examples.windows import (
    TrainingExample,
    build_direction,
    build_example,
    cut_episode,
)
from nothing_gpt.prompt import parts_of
from nothing_gpt.show import FormatName, Show

_BATCH = 256  # examples whose tokens are counted at once


class ExampleStream:
    """Makes examples when they are asked for: together they are several times their scripts.

    Args:
        counter: Counts tokens; None to count none.

    Attributes:
        parts: How many examples so far have each part of a direction.
        lengths: Of the examples so far, in tokens.
    """

    def __init__(self, show: Show, format_name: FormatName, counter: Counter | None) -> None:
        self._show, self._format, self._counter = show, format_name, counter
        self._batch: list[TrainingExample] = []
        self.parts: dict[str, int] = dict.fromkeys(parts_of(format_name), 0)
        self.lengths: list[TokenLengths] = []

    def make(self, episodes: Iterable[Episode]) -> Iterator[TrainingExample]:
        """Yield the examples of episodes of merged turns."""
        for episode in episodes:
            for window in cut_episode(episode, self._show, self._format):
                direction = build_direction(window, self._show, self._format)
                for part in self.parts:
                    self.parts[part] += bool(getattr(direction, part))
                example = build_example(window, direction, self._show, self._format)
                self._count(example)
                yield example
        self._count_batch()

    def _count(self, example: TrainingExample) -> None:
        if self._counter is not None:
            self._batch.append(example)
            if len(self._batch) == _BATCH:
                self._count_batch()

    def _count_batch(self) -> None:
        if self._counter is not None:
            self.lengths += count_lengths(self._batch, self._counter)
            self._batch.clear()
