"""The check at a server's start that every adapter changes what its base says."""

from collections.abc import Awaitable, Callable, Sequence

from nothing_gpt.adapter.effect import Scores, has_effect
from nothing_gpt.errors import UserError

ScoreFunction = Callable[[str], Awaitable[Scores]]
"""Scores the probe with a model, given by name."""


async def check_adapters(score: ScoreFunction, base: str, adapters: Sequence[str]) -> None:
    """Compare each adapter with the base.

    Raises:
        UserError: an adapter changes nothing.
    """
    if not adapters:
        return
    first, second = await score(base), await score(base)
    unchanged = [name for name in adapters if not has_effect(first, second, await score(name))]
    if unchanged:
        raise UserError(
            f"{', '.join(unchanged)}: changes nothing that {base} says; its weights are those "
            "from before training, or were not loaded; train it again with a higher learning rate "
            "or more steps, or move it away"
        )
