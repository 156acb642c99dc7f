"""Candidates: several continuations of one scene, written at the same time to choose from."""

import asyncio
import string
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from typing import Literal

from demo.generation.client import ModelClient
from demo.generation.continuation import continue_lines
from demo.generation.request import GenerationRequest
from demo.generation.stream import Progress, Speed
from demo.generation.summary import StatusMessage, count_lines, summarize
from demo.scene.scene import Entry, Scene
from nothing_gpt.errors import UserError
from nothing_gpt.line import Line

CandidateState = Literal["waiting", "writing", "done", "stopped", "failed"]

MIN_INTERVAL = 0.04
"""Least seconds between two updates of a candidate set."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A continuation to choose, as far as it is written.

    Attributes:
        outcome: How it ended, in words.
        version: The index of its version in the scene's history, once it is kept there.
    """

    request: GenerationRequest
    lines: tuple[Line, ...] = ()
    growing: Line | None = None
    state: CandidateState = "waiting"
    outcome: str = ""
    speed: Speed = field(default_factory=Speed)
    version: int | None = None

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Its lines as entries of a scene."""
        provenance = self.request.provenance
        return tuple(Entry(line.text, line.speaker, provenance) for line in self.lines)


@dataclass(frozen=True, slots=True)
class CandidateSet:
    """All candidates, and the index of the chosen one.

    If it is blind, the names of the models are hidden until one is chosen.
    """

    candidates: tuple[Candidate, ...]
    blind: bool = False
    chosen: int | None = None

    def name(self, index: int) -> str:
        """Name a candidate by a letter, and by its model if several models write."""
        letter = string.ascii_uppercase[index]
        if self.blind and self.chosen is None:
            return letter
        models = [candidate.request.provenance.model for candidate in self.candidates]
        return f"{letter}: {models[index]}" if len(set(models)) > 1 else letter

    def put(self, index: int, candidate: Candidate) -> "CandidateSet":
        """Replace one candidate."""
        before, after = self.candidates[:index], self.candidates[index + 1 :]
        return replace(self, candidates=(*before, candidate, *after))


def vary_seeds(request: GenerationRequest, count: int, seed: int) -> tuple[GenerationRequest, ...]:
    """Make requests that differ in their seeds only, which follow from `seed`."""
    random, seeds = Random(seed), [request.provenance.seed]  # noqa: S311 - no secret
    while len(seeds) < count:
        drawn = random.getrandbits(31)
        seeds += [drawn] if drawn not in seeds else []
    return tuple(
        replace(request, provenance=replace(request.provenance, seed=each)) for each in seeds
    )


def shuffle_requests(requests: Sequence[GenerationRequest]) -> tuple[GenerationRequest, ...]:
    """Put requests into a random order, which is the same for the same seeds."""
    random = Random(sum(each.provenance.seed for each in requests))  # noqa: S311 - no secret
    return tuple(random.sample(requests, len(requests)))


class CandidateRun:
    """Candidates while they are written, each in its own task, so a slow one delays no other.

    Attributes:
        start: The scene that they continue.
        version: The index of its version in the history.
    """

    def __init__(
        self,
        requests: Sequence[GenerationRequest],
        start: Scene,
        version: int = 0,
        *,
        blind: bool = False,
    ) -> None:
        self.start = start
        self.version = version
        shown = shuffle_requests(requests) if blind else tuple(requests)
        self.candidate_set = CandidateSet(tuple(map(Candidate, shown)), blind)
        self._tasks: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()

    async def write(
        self, client: ModelClient, on_end: Callable[[int], None]
    ) -> AsyncGenerator[CandidateSet]:
        """Write all candidates; yield the set at most every `MIN_INTERVAL` seconds.

        Args:
            on_end: Called with the index of each candidate that has ended.
        """
        indices = range(len(self.candidate_set.candidates))
        self._tasks = [asyncio.create_task(self._write(i, client)) for i in indices]
        for index, task in enumerate(self._tasks):
            task.add_done_callback(partial(self._end, index, on_end))
        try:
            yield self.candidate_set
            while not all(task.done() for task in self._tasks):
                await self._changed.wait()
                self._changed.clear()
                yield self.candidate_set
                await asyncio.sleep(MIN_INTERVAL)
            yield self.candidate_set
        finally:
            for index in indices:
                self.stop(index)
            await asyncio.gather(*self._tasks, return_exceptions=True)
        for task in self._tasks:
            if not task.cancelled():
                task.result()

    def stop(self, index: int) -> None:
        """Stop one candidate; its server stops too."""
        if index < len(self._tasks):
            self._tasks[index].cancel()

    async def _write(self, index: int, client: ModelClient) -> None:
        candidate = self.candidate_set.candidates[index]
        request, last = candidate.request, Progress()
        try:
            async with aclosing(continue_lines(client, request, self.start)) as steps:
                async for last in steps:
                    candidate = replace(
                        candidate,
                        lines=candidate.lines + last.lines,
                        growing=last.growing,
                        state="writing",
                        speed=last.speed,
                    )
                    self._put(index, candidate)
            outcome = summarize(request, [line.speaker for line in candidate.lines], last)
            candidate = replace(candidate, state="done", outcome=outcome)
        except UserError as error:
            outcome = StatusMessage.problem(error).text
            candidate = replace(candidate, state="failed", outcome=outcome)
        except asyncio.CancelledError:
            outcome = f"Stopped. {count_lines(len(candidate.lines))}."
            candidate = replace(candidate, state="stopped", outcome=outcome)
            raise
        finally:
            self._put(index, replace(candidate, growing=None))

    def _end(self, index: int, on_end: Callable[[int], None], done: asyncio.Task[None]) -> None:
        candidate = self.candidate_set.candidates[index]
        if candidate.state in ("waiting", "writing"):  # cancelled before it started, or a bug
            state: CandidateState = "stopped" if done.cancelled() else "failed"
            self._replace(index, replace(candidate, growing=None, state=state))
        on_end(index)
        self._changed.set()

    def _put(self, index: int, candidate: Candidate) -> None:
        # The session sets the version, so it is not overwritten here.
        version = self.candidate_set.candidates[index].version
        self._replace(index, replace(candidate, version=version))
        self._changed.set()

    def _replace(self, index: int, candidate: Candidate) -> None:
        self.candidate_set = self.candidate_set.put(index, candidate)
