"""Alternatives of a passage in the middle of a scene, while all that follows it stays.

A model that was trained on scenes only continues. So it is asked to continue the scene up to the
passage, one line at a time with the speaker of the old line, several times with other seeds. What
follows is not in the request; the alternatives are ranked by it (`ranking`).
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from demo.generation.client import ModelClient
from demo.generation.continuation import continue_lines
from demo.generation.request import GenerationRequest
from demo.generation.rewriting.ranking import rank
from demo.scene.scene import Entry, Scene
from nothing_gpt.errors import UserError

ALTERNATIVES = 4
"""Alternatives to write: as many as the most takes, because a server writes that many at once."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Entries of a scene: `count` of them from `start`. None is the gap before `start`."""

    start: int
    count: int

    def entries(self, scene: Scene) -> tuple[Entry, ...]:
        """Take its entries out of a scene."""
        return scene.entries[self.start : self.start + self.count]

    def replace(self, scene: Scene, entries: tuple[Entry, ...]) -> Scene:
        """Put other entries into its place."""
        after = scene.entries[self.start + self.count :]
        return replace(scene, entries=(*scene.entries[: self.start], *entries, *after))


@dataclass(frozen=True, slots=True)
class AlternativeSet:
    """The alternatives of a passage so far.

    Attributes:
        was: The entries that they are to replace.
        ranked: Whether the best is first, by how well what follows goes on from it; None while
            they are being written.
        tokens: Tokens that were written.
    """

    passage: Passage
    was: tuple[Entry, ...]
    alternatives: tuple[tuple[Entry, ...], ...] = ()
    ranked: bool | None = None
    tokens: int = 0

    def add(self, written: "Written") -> "AlternativeSet":
        """Add an alternative, if its words are new."""
        tokens = self.tokens + written.tokens
        known = [[entry.words for entry in each] for each in (self.was, *self.alternatives)]
        if not written.entries or [entry.words for entry in written.entries] in known:
            return replace(self, tokens=tokens)
        return replace(self, alternatives=(*self.alternatives, written.entries), tokens=tokens)


@dataclass(frozen=True, slots=True)
class Written:
    """Entries that a model wrote, and its number of tokens."""

    entries: tuple[Entry, ...] = ()
    tokens: int = 0

    def then(self, other: "Written") -> "Written":
        """Add what was written next."""
        return Written(self.entries + other.entries, self.tokens + other.tokens)


async def write_alternatives(
    client: ModelClient, requests: Sequence[GenerationRequest], scene: Scene, passage: Passage
) -> AsyncGenerator[AlternativeSet]:
    """Write the alternatives of a passage at the same time; yield the set as it grows.

    Args:
        requests: One for each alternative.

    Raises:
        UserError: there is no line before the passage or none in it, or the server failed.
    """
    current = AlternativeSet(passage, passage.entries(scene))
    if not scene.before(passage.start).lines:
        raise UserError("nobody speaks before this line, and a model only goes on from lines")
    if passage.count and not any(entry.line for entry in current.was):
        raise UserError("nobody speaks here; a model writes speeches alone")
    yield current
    tasks = [asyncio.create_task(_write(client, request, scene, passage)) for request in requests]
    try:
        for done in asyncio.as_completed(tasks):
            current = current.add(await done)
            yield current
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    best_first = await rank(
        client,
        requests[0],
        [passage.replace(scene, entries) for entries in current.alternatives],
        [passage.start + len(entries) for entries in current.alternatives],
    )
    if best_first is None:
        yield replace(current, ranked=False)
    else:
        alternatives = tuple(current.alternatives[index] for index in best_first)
        yield replace(current, alternatives=alternatives, ranked=True)


async def _write(
    client: ModelClient, request: GenerationRequest, scene: Scene, passage: Passage
) -> Written:
    """Write one alternative; it has no entries if the model did not write each of its lines."""
    if not passage.count:
        return await _continue(client, request, scene.before(passage.start))
    written = Written()
    for entry in passage.entries(scene):
        if entry.line is None:
            written = written.then(Written((entry,)))
            continue
        constraints = replace(request.constraints, first=entry.speaker, required=(), barred=())
        one = replace(request, lines=1, constraints=constraints)
        added = await _continue(client, one, scene.before(passage.start).append(*written.entries))
        written = written.then(added)
        if not added.entries:
            return Written(tokens=written.tokens)
    return written


async def _continue(client: ModelClient, request: GenerationRequest, scene: Scene) -> Written:
    entries: tuple[Entry, ...] = ()
    tokens = 0
    async with aclosing(continue_lines(client, request, scene)) as steps:
        async for step in steps:
            entries += tuple(
                Entry(line.text, line.speaker, request.provenance) for line in step.lines
            )
            tokens = step.speed.tokens
    return Written(entries, tokens)
