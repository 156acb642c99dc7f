"""A check that every adapter changes the output of its base.

An adapter whose weights were not loaded, or not trained, changes nothing. The server would then
answer with the base's text under the show's name, and nobody would notice. So the
log-probabilities of a short text are compared with and without each adapter. The base is scored
twice, because the difference between its two scores is noise.
"""

from collections.abc import Awaitable, Callable, Sequence

from nothing_gpt.errors import UserError
from nothing_gpt.prompt import Message

PROBE: list[Message] = [
    {"role": "system", "content": "Continue this scene."},
    {"role": "user", "content": "[ANA] Who left the door open?\n[BO] It was open when I came."},
]

ScoreFunction = Callable[[str], Awaitable[Sequence[float]]]
"""Scores `PROBE` with a model, given by name: log-probabilities of its tokens or of the next."""


async def check_adapters(score: ScoreFunction, base: str, adapters: Sequence[str]) -> None:
    """Compare each adapter with the base.

    Raises:
        UserError: an adapter differs from the base no more than the base from itself.
    """
    if not adapters:
        return
    first, second = await score(base), await score(base)
    noise = _distance(first, second)
    # A comparison with NaN is false, so that an adapter with NaNs is refused too.
    unchanged = [name for name in adapters if not _distance(first, await score(name)) > noise]
    if unchanged:
        raise UserError(
            f"{', '.join(unchanged)}: changes nothing that {base} says; its weights are those "
            "from before training, or were not loaded; train it again, or move it away"
        )


def _distance(one: Sequence[float], other: Sequence[float]) -> float:
    # A sum, because the maximum of numbers and a NaN depends on their order.
    return sum(abs(a - b) for a, b in zip(one, other, strict=True))
