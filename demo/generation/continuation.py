"""A continuation as a writer wishes it: by the cast, with all who must speak, in no circles."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from demo.generation.client import (
    LineFilter,
    LockState,
    ModelClient,
    Progress,
    RequestRefusedError,
)
from demo.generation.constraints import list_cast
from demo.generation.repetition import find_loop
from demo.generation.request import GenerationRequest, build_request
from demo.generation.speed import Speed
from demo.scene.scene import Entry, Scene
from nothing_gpt.line import Line

_LOCKS: dict[LockState, str] = {
    "server": "The server itself keeps the speakers to the cast.",
    "filter": "The server cannot be held to the cast: lines of others are left out as they come.",
    "off": "The model may bring in anybody.",
}


def describe_lock(state: LockState) -> str:
    """Say who keeps the speakers to the cast."""
    return _LOCKS[state]


async def continue_lines(
    endpoint: ModelClient, order: GenerationRequest, scene: Scene
) -> AsyncGenerator[Progress]:
    """Have a model write on, and give its lines as they come, those alone that are wished.

    Those who must speak and have not, when as many lines are left as there are of them, are
    asked for by name, one after the other. A line that closes a circle is the end and left out.

    Raises:
        UserError: nobody may speak, or the server failed.
    """
    run = _Run(endpoint, order, scene)
    while (leg := run.next_leg()) is not None:
        async with aclosing(run.write(leg)) as steps:
            async for step in steps:
                yield step
                if step.ending:
                    return


@dataclass
class _Run:
    """What one continuation has so far, over all requests that it takes."""

    endpoint: ModelClient
    order: GenerationRequest
    scene: Scene
    lines: list[Line] = field(default_factory=list)
    total: Progress = field(default_factory=Progress)
    stuck: bool = False

    @property
    def left(self) -> int:
        return self.order.lines - len(self.lines)

    @property
    def missing(self) -> list[str]:
        spoken = {line.speaker for line in self.lines}
        return [name for name in self.order.wishes.required if name not in spoken]

    def next_leg(self) -> GenerationRequest | None:
        """The next request: a free one at first, then one for each who must speak."""
        wishes = self.order.wishes
        if self.lines or self.total.ending:
            if not self.missing or self.stuck:
                return None
            wishes = replace(wishes, first=self.missing[0])
        elif len(self.missing) >= self.left and wishes.first is None:
            wishes = replace(wishes, first=self.missing[0])
        return replace(self.order, lines=self.left, wishes=wishes)

    async def write(self, leg: GenerationRequest) -> AsyncGenerator[Progress]:
        """Ask once, and give every step; the last one of all legs alone has an ending."""
        before, begun = self.total, len(self.lines)
        async with aclosing(self._ask(leg)) as steps:
            async for step in steps:
                taken, ending = [], step.ending
                for line in step.lines:
                    heard = [*self.scene.lines, *self.lines, line]
                    if find_loop(heard):
                        ending = "loop"
                        break
                    self.lines.append(line)
                    taken.append(line)
                self.total = _add(before, replace(step, lines=tuple(taken), ending=ending))
                self.stuck = len(self.lines) == begun
                turn = bool(taken) and 0 < len(self.missing) == self.left
                again = turn or (ending == "finished" and self.missing and not self.stuck)
                if again and self.left and ending != "loop":
                    yield replace(self.total, growing=None, ending=None)
                    return
                yield self.total
                if ending:
                    return

    async def _ask(self, leg: GenerationRequest) -> AsyncGenerator[Progress]:
        """Ask the server to keep to the cast, if it can; see to it in any case."""
        scene = self.scene.append(*(Entry(line.text, line.speaker) for line in self.lines))
        model, known = leg.take.model, self.endpoint.lockable
        locked = leg.wishes.locked and known.get(model, True)
        request = build_request(leg, scene, locked=locked)
        admit = _admit(leg, scene)
        try:
            async with aclosing(self._stream(request, leg, admit, locked=locked)) as steps:
                async for step in steps:
                    yield step
            return
        except RequestRefusedError:
            # Of a server that says what it can, this is about something else.
            if not locked or model in known:
                raise
        plain = {key: value for key, value in request.items() if key != "extra_body"}
        async with aclosing(self._stream(plain, leg, admit, locked=False)) as steps:
            async for step in steps:
                known[model] = False
                yield step

    async def _stream(
        self,
        request: dict[str, object],
        leg: GenerationRequest,
        admit: LineFilter,
        *,
        locked: bool,
    ) -> AsyncGenerator[Progress]:
        async with aclosing(self.endpoint.stream_lines(request, leg.lines, admit)) as steps:
            async for step in steps:
                if step.barred:  # the server took the lock and did not keep to it
                    self.endpoint.lockable[leg.take.model] = locked = False
                state: LockState = "server" if locked else "filter"
                yield replace(step, lock=state if _guarded(leg) else "off")


def _guarded(leg: GenerationRequest) -> bool:
    wishes = leg.wishes
    return wishes.locked or bool(wishes.barred) or wishes.first is not None


def _admit(leg: GenerationRequest, scene: Scene) -> LineFilter:
    wishes, cast = leg.wishes, set(list_cast(leg.show, scene, leg.wishes))

    def admit(line: Line, count: int) -> bool:
        if line.speaker in wishes.barred or (wishes.locked and line.speaker not in cast):
            return False
        return count > 0 or wishes.first in (None, line.speaker)

    return admit


def _add(before: Progress, step: Progress) -> Progress:
    speed = before.speed.then(step.speed) if before.speed != Speed() else step.speed
    lock: LockState = "filter" if "filter" in (before.lock, step.lock) else step.lock
    return replace(
        step,
        dropped=before.dropped + step.dropped,
        barred=before.barred + step.barred,
        speed=speed,
        lock=lock,
    )
