"""Whether an adapter changes what its base says; training and both engines ask this.

An adapter whose weights were not trained, or not loaded, changes nothing. A server would answer
with the base's text under the show's name, and nobody would notice. So the log-probabilities of a
short text are compared with and without the adapter. The base is scored twice, because the
difference between its two scores is noise.
"""

from collections.abc import Sequence

from nothing_gpt.prompt import Message

PROBE: list[Message] = [
    {"role": "system", "content": "Continue this scene."},
    {"role": "user", "content": "[ANA] Who left the door open?\n[BO] It was open when I came."},
]

Scores = Sequence[float]
"""Log-probabilities of the tokens of `PROBE`, or of the one that follows."""


def has_effect(first: Scores, second: Scores, adapter: Scores) -> bool:
    """Return whether an adapter differs from its base more than the base from itself.

    Args:
        first: The base's scores.
        second: The base's scores, computed once more.
        adapter: The scores with the adapter.
    """
    # A comparison with NaN is false, so that an adapter with NaNs has no effect.
    return _distance(first, adapter) > _distance(first, second)


def _distance(one: Scores, other: Scores) -> float:
    # A sum, because the maximum of numbers and a NaN depends on their order.
    return sum(abs(a - b) for a, b in zip(one, other, strict=True))
