"""Several continuations of the same scene at once: takes to choose from, or models to compare."""

import asyncio
import string
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from typing import Literal

from demo.generation.client import LockState, ModelClient, Progress
from demo.generation.continuation import continue_lines
from demo.generation.request import GenerationRequest
from demo.generation.speed import Speed
from demo.generation.summary import StatusMessage, say_lines, summarize
from demo.scene.scene import Entry, Scene
from nothing_gpt.errors import UserError
from nothing_gpt.line import Line

CandidateState = Literal["waiting", "writing", "done", "stopped", "failed"]

FRAME = 0.04
"""Seconds between two looks at the takes, however fast their tokens come."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of the takes as far as it is; `said` tells how it ended, `version` where it is kept."""

    order: GenerationRequest
    lines: tuple[Line, ...] = ()
    growing: Line | None = None
    state: CandidateState = "waiting"
    said: str = ""
    speed: Speed = field(default_factory=Speed)
    lock: LockState = "off"
    version: int | None = None

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Its lines as they stand in a scene."""
        return tuple(Entry(line.text, line.speaker, self.order.take) for line in self.lines)


@dataclass(frozen=True, slots=True)
class CandidateSet:
    """All takes, and which was chosen. Blind ones tell their models only then."""

    trials: tuple[Candidate, ...]
    blind: bool = False
    chosen: int | None = None

    def name(self, index: int) -> str:
        """What a take is called: by its model, or by a letter as long as that is hidden."""
        letter, model = string.ascii_uppercase[index], self.trials[index].order.take.model
        if self.blind and self.chosen is None:
            return letter
        several = len({trial.order.take.model for trial in self.trials}) > 1
        return f"{letter}: {model}" if several else letter

    def put(self, index: int, trial: Candidate) -> "CandidateSet":
        """The same takes with one as it is now."""
        before, after = self.trials[:index], self.trials[index + 1 :]
        return replace(self, trials=(*before, trial, *after))


def vary_seeds(order: GenerationRequest, count: int, seed: int) -> tuple[GenerationRequest, ...]:
    """Order the same several times over; the seeds follow from the first one."""
    random, seeds = Random(seed), [order.take.seed]  # noqa: S311 - no secret
    while len(seeds) < count:
        drawn = random.getrandbits(31)
        seeds += [drawn] if drawn not in seeds else []
    return tuple(replace(order, take=replace(order.take, seed=each)) for each in seeds)


def shuffle_requests(orders: Sequence[GenerationRequest]) -> tuple[GenerationRequest, ...]:
    """Put orders into an order that tells nothing, but is the same for the same seeds."""
    random = Random(sum(order.take.seed for order in orders))  # noqa: S311 - no secret
    return tuple(random.sample(orders, len(orders)))


class CandidateRun:
    """Takes while they are written, a task each, so that a slow one keeps no other waiting."""

    def __init__(
        self, orders: Sequence[GenerationRequest], start: Scene, *, blind: bool = False
    ) -> None:
        self.start = start
        shown = shuffle_requests(orders) if blind else tuple(orders)
        self.takes = CandidateSet(tuple(map(Candidate, shown)), blind)
        self._tasks: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()

    async def write(
        self, endpoint: ModelClient, ended: Callable[[int], None]
    ) -> AsyncGenerator[CandidateSet]:
        """Write all takes; give how they stand, as often as eyes can follow.

        Args:
            ended: Told of each take that ends, however it does.
        """
        numbers = range(len(self.takes.trials))
        self._tasks = [asyncio.create_task(self._write(i, endpoint)) for i in numbers]
        for number, task in enumerate(self._tasks):
            task.add_done_callback(partial(self._end, number, ended))
        try:
            yield self.takes
            while not all(task.done() for task in self._tasks):
                await self._changed.wait()
                self._changed.clear()
                yield self.takes
                await asyncio.sleep(FRAME)
            yield self.takes
        finally:
            for number in numbers:
                self.close(number)
            await asyncio.gather(*self._tasks, return_exceptions=True)
        for task in self._tasks:
            if not task.cancelled():
                task.result()

    def close(self, index: int) -> None:
        """Stop one take; its server is told to stop too."""
        if index < len(self._tasks):
            self._tasks[index].cancel()

    async def _write(self, index: int, endpoint: ModelClient) -> None:
        trial = self.takes.trials[index]
        order, last = trial.order, Progress()
        try:
            async with aclosing(continue_lines(endpoint, order, self.start)) as steps:
                async for last in steps:
                    trial = replace(
                        trial,
                        lines=trial.lines + last.lines,
                        growing=last.growing,
                        state="writing",
                        speed=last.speed,
                        lock=last.lock,
                    )
                    self._put(index, trial)
            spoken = {line.speaker for line in trial.lines}
            silent = [name for name in order.wishes.required if name not in spoken]
            said = summarize(order, len(trial.lines), silent, last)
            trial = replace(trial, state="done", said=said)
        except UserError as error:
            trial = replace(trial, state="failed", said=StatusMessage.problem(error).text)
        except asyncio.CancelledError:
            trial = replace(
                trial, state="stopped", said=f"Stopped. {say_lines(len(trial.lines))}."
            )
            raise
        finally:
            self._put(index, replace(trial, growing=None))

    def _end(self, index: int, ended: Callable[[int], None], done: asyncio.Task[None]) -> None:
        trial = self.takes.trials[index]
        if trial.state in ("waiting", "writing"):  # cancelled before it began, or our own fault
            state: CandidateState = "stopped" if done.cancelled() else "failed"
            self.takes = self.takes.put(index, replace(trial, growing=None, state=state))
        ended(index)
        self._changed.set()

    def _put(self, index: int, trial: Candidate) -> None:
        # Its version and which take was chosen are the session's to say.
        kept = self.takes.trials[index].version
        self.takes = self.takes.put(index, replace(trial, version=kept))
        self._changed.set()
