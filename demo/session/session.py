"""One writer's visit: the scenes with their history, and the models that may be writing on one.

Without Gradio, so that whatever shows it only calls these methods and draws what they left.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from demo.generation.candidates import CandidateRun, CandidateSet
from demo.generation.client import ModelClient, OfferedModel, Progress
from demo.generation.constraints import SamplingSettings
from demo.generation.continuation import continue_lines
from demo.generation.request import GenerationRequest, build_request
from demo.generation.summary import (
    GenerationReport,
    StatusMessage,
    say_kept,
    say_left_out,
    summarize,
)
from demo.scene.scene import Entry, Scene
from demo.session.rate_limit import RateLimiter
from demo.session.scene_editor import SceneEditor
from nothing_gpt.errors import UserError

__all__ = ["GenerationReport", "Session", "StatusMessage"]


@dataclass
class Session(SceneEditor):
    """Everything that belongs to one browser tab.

    Attributes:
        report: How the continuation goes or went.
        meter: Counts the `visitor`'s tokens, where the room has limits.
        trials: Takes that are written or to be chosen from.
    """

    models: tuple[OfferedModel, ...] = ()
    report: GenerationReport | None = None
    meter: RateLimiter | None = None
    visitor: str = ""
    trials: CandidateRun | None = None

    @property
    def takes(self) -> CandidateSet | None:
        """The takes that are written or to be chosen from."""
        return None if self.trials is None else self.trials.takes

    def preview(
        self, order: GenerationRequest, *, retake: bool = False, since: int | None = None
    ) -> dict[str, Any]:
        """Give the request that would be sent, to the letter.

        Raises:
            UserError: there is nothing to continue, or nobody may speak.
        """
        scene = self._beginning(retake=retake, since=since)
        return build_request(self._capped(order), scene, locked=self._asks_for_lock(order))

    async def continue_scene(
        self,
        endpoint: ModelClient,
        order: GenerationRequest,
        *,
        retake: bool = False,
        since: int | None = None,
    ) -> AsyncGenerator[Progress]:
        """Have a model write on, and take its lines in as they come.

        What goes wrong on the way is said in `note`; finished lines stay, and one undo takes
        the whole continuation back. A retake's old lines stay until there is a new one; it is of
        the continuation at the end, or, with `since`, of the entry there and all after it.

        Raises:
            UserError: there is nothing to continue or to retake, a model is writing already, or
                the visitor has had too much written.
        """
        start = self._beginning(retake=retake, since=since)
        order = self._capped(order)
        with self._charged([order]) as used:
            self.put_takes_away()
            self.ended = asyncio.Event()
            replacing = len(start.entries) if retake or since is not None else None
            self.retaking = None if replacing is None else start
            self.note = StatusMessage(f"{order.take.model} is writing ...", "busy")
            lines: list[Entry] = []
            step = Progress()
            try:
                yield step
                async with aclosing(continue_lines(endpoint, order, start)) as steps:
                    async for step in steps:
                        used[0] = step.speed.tokens
                        self.report = GenerationReport.of(step)
                        for line in step.lines:
                            lines.append(Entry(line.text, line.speaker, order.take))
                            self._take_in(lines[-1], replacing)
                        if not step.ending:
                            yield step
                spoken = {entry.speaker for entry in lines}
                silent = [name for name in order.wishes.required if name not in spoken]
                self.note = StatusMessage(summarize(order, len(lines), silent, step))
            except UserError as error:
                self.note = StatusMessage.problem(error, say_kept(len(lines)) if lines else "")
            except (asyncio.CancelledError, GeneratorExit):
                self.note = StatusMessage(f"Stopped. {say_kept(len(lines))}{say_left_out(step)}")
                raise
            except Exception:
                self.note = StatusMessage(
                    "Something went wrong in the room itself; the scene is kept.", "problem"
                )
                raise
            finally:
                self.retaking = None
                self.ended.set()

    async def write_takes(
        self,
        endpoint: ModelClient,
        orders: Sequence[GenerationRequest],
        *,
        blind: bool = False,
        since: int | None = None,
    ) -> AsyncGenerator[CandidateSet]:
        """Have several takes written at once, each kept as a branch of the scene.

        Blind ones are shown in an order that tells nothing. Closing this stops them all.

        Raises:
            UserError: as `continue_scene` does.
        """
        start = self._beginning(retake=False, since=since)
        capped = [self._capped(order) for order in orders]
        with self._charged(capped) as used:
            self.ended = asyncio.Event()
            self.trials = trials = CandidateRun(capped, start, blind=blind)
            self.note = StatusMessage(f"{len(orders)} takes are being written ...", "busy")
            try:
                async with aclosing(trials.write(endpoint, self._keep_take)) as steps:
                    async for takes in steps:
                        used[0] = sum(trial.speed.tokens for trial in takes.trials)
                        yield takes
                self.note = StatusMessage("Choose a take; the others stay as other versions.")
            except (asyncio.CancelledError, GeneratorExit):
                self.note = StatusMessage("Stopped. What is there can still be chosen.")
                raise
            finally:
                self.ended.set()

    def choose_take(self, index: int) -> None:
        """Let the scene go on with one of the takes; those still being written stop.

        Raises:
            UserError: there is none at that place, or no line is in it.
        """
        if self.trials is None or not 0 <= index < len(self.trials.takes.trials):
            raise UserError("that take is no longer here; have new ones written")
        self._keep_take(index)
        trial = self.trials.takes.trials[index]
        if trial.version is None:
            raise UserError("no line is in that take; choose another one")
        for number in range(len(self.trials.takes.trials)):
            self.trials.close(number)
        self.history = self.history.switch(trial.version)
        self.trials.takes = replace(self.trials.takes, chosen=index)
        self.note = StatusMessage(f"Taken: {self.trials.takes.name(index)}.")

    def put_takes_away(self) -> None:
        """Show the takes no longer; they stay as branches."""
        if not self.writing:
            self.trials = None

    def _beginning(self, *, retake: bool, since: int | None) -> Scene:
        self.must_be_idle()
        scene = self.history.scene
        if since is not None and not 0 <= since < len(scene.entries):
            raise UserError("that line is no longer here; look at the scene again")
        if retake and not scene.last_take:
            raise UserError("the scene does not end with a model's lines; Continue writes some")
        if since is not None:
            start = scene.before(since)
        else:
            start = scene.without_last_take() if retake else scene
        if not start.lines:
            raise UserError(
                "the page has no line to go on from; write the first one, or take an opening"
            )
        return start

    def _take_in(self, entry: Entry, replacing: int | None) -> None:
        if self.retaking is None or replacing is None:
            self.history = self.history.extend(entry)
        else:
            scene = self.history.scene.before(replacing).append(entry)
            self.history = self.history.change(scene, entry.take)
            self.retaking = None

    def _keep_take(self, index: int) -> None:
        """Make a take a branch of the scene, once, with the lines that it has by then."""
        if self.trials is None:
            return
        trial = self.trials.takes.trials[index]
        if trial.version is None and trial.lines:
            scene = self.trials.start.append(*trial.entries)
            self.history, version = self.history.branch(scene, trial.order.take)
            self.trials.takes = self.trials.takes.put(index, replace(trial, version=version))

    def _capped(self, order: GenerationRequest) -> GenerationRequest:
        if self.meter is None:
            return order
        wanted: int = build_request(order, Scene())["max_tokens"]
        sampling = order.sampling or SamplingSettings.of(order.show.generation)
        return replace(order, sampling=replace(sampling, max_tokens=self.meter.limits.cap(wanted)))

    @contextmanager
    def _charged(self, orders: Sequence[GenerationRequest]) -> Iterator[list[int]]:
        """Set aside what the orders may cost at most, and give back what they did not."""
        used = [0]
        if self.meter is None:
            yield used
            return
        meter, visitor = self.meter, self.visitor
        reserved = sum(build_request(order, Scene())["max_tokens"] for order in orders)
        meter.reserve(visitor, reserved, time.monotonic())
        try:
            yield used
        finally:
            meter.settle(visitor, reserved, used[0], time.monotonic())

    def _asks_for_lock(self, order: GenerationRequest) -> bool:
        known = {model.name: model.structured for model in self.models}
        return known.get(order.take.model) is not False
