"""The records of votes: pairs, and single texts that are liked or not.

The room writes them into its visitor's browser, `evaluation` into the workspace or a file, and
`train` reads them all. `prompt`, `chosen`, `rejected`, `completion` and `label` are
those of TRL's preference formats; the other fields say where a vote comes from.
"""

from dataclasses import dataclass, field
from typing import Literal
from uuid import uuid4

from nothing_gpt.prompt import Message
from nothing_gpt.show import FormatName

VoteKind = Literal["take", "comparison", "blind comparison", "retake", "table read", "gate"]
"""Where a vote comes from: the first four are from the room, the others from `evaluation`.

Those of a gate are no person's: the rejected text has a defect that the chosen one has not.
"""


@dataclass(frozen=True, slots=True)
class Writer:
    """Who wrote a text: a model with a seed, or the show's own writers without one.

    `base` is the model under an adapter, if it is known.
    """

    model: str
    seed: int | None = None
    base: str = ""


@dataclass(frozen=True, slots=True)
class Vote:
    """A preference between two continuations of one context.

    Attributes:
        show: The show's name.
        chosen_settings: How the chosen one was sampled; None if that is not known any more.
        rejected_prompt: The prompt of the rejected one, if it had another: the models that were
            compared have different formats or shows.
        format: The format of the prompt; None in files of older rooms.
        chosen_place: Where the chosen one was shown, from 0; None if both were not shown at the
            same time, and in files of older rooms.
        episode: The episode that the context is from; empty if people wrote it.
        repeat_of: The id of an earlier vote on the same two texts.
        kept: When the vote was stored, in ISO 8601.

    Raises:
        ValueError: a part is missing, an answer is not a model's message, or both are the same.
    """

    prompt: tuple[Message, ...]
    chosen: tuple[Message, ...]
    rejected: tuple[Message, ...]
    kind: VoteKind
    show: str
    chosen_by: Writer
    rejected_by: Writer
    chosen_settings: dict[str, float] | None = None
    rejected_settings: dict[str, float] | None = None
    rejected_prompt: tuple[Message, ...] | None = None
    format: FormatName | None = None
    chosen_place: int | None = None
    rejected_place: int | None = None
    episode: str = ""
    repeat_of: str | None = None
    kept: str | None = None
    id: str = field(default_factory=lambda: uuid4().hex)

    def __post_init__(self) -> None:
        _check_messages(self.prompt, self.chosen, self.rejected)
        if self.chosen == self.rejected:
            raise ValueError("'chosen' and 'rejected' are the same")

    @property
    def first_won(self) -> bool | None:
        """Whether the one that was shown earlier was chosen; None if there was no order."""
        if self.chosen_place is None or self.rejected_place is None:
            return None
        return self.chosen_place < self.rejected_place


@dataclass(frozen=True, slots=True)
class Rating:
    """A continuation that is liked (`label`) or not, without another one beside it.

    Raises:
        ValueError: a part is missing, or the completion is not a model's message.
    """

    prompt: tuple[Message, ...]
    completion: tuple[Message, ...]
    label: bool
    kind: str
    show: str
    written_by: Writer
    settings: dict[str, float] | None = None
    format: FormatName | None = None
    episode: str = ""
    kept: str | None = None
    id: str = field(default_factory=lambda: uuid4().hex)

    def __post_init__(self) -> None:
        _check_messages(self.prompt, self.completion)


def _check_messages(prompt: tuple[Message, ...], *answers: tuple[Message, ...]) -> None:
    if not prompt:
        raise ValueError("'prompt' has no messages")
    if any([message["role"] for message in answer] != ["assistant"] for answer in answers):
        raise ValueError("an answer must be one message of the role 'assistant'")
