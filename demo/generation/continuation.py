"""One continuation: its speakers constrained, everyone required included, repetition cut off."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from demo.generation.client import ModelClient
from demo.generation.client_errors import RequestRefusedError
from demo.generation.constraints import list_cast
from demo.generation.repetition import find_repetition
from demo.generation.request import GenerationRequest, build_payload
from demo.generation.stream import LineFilter, LockState, Progress, Speed
from demo.scene.scene import Entry, Scene
from nothing_gpt.line import Line


async def continue_lines(
    client: ModelClient, request: GenerationRequest, scene: Scene
) -> AsyncGenerator[Progress]:
    """Have a model continue a scene; yield the lines that the constraints allow.

    When only as many lines are left as required speakers are missing, each of them is requested
    by name. The continuation ends at a line that completes a repetition; that line is left out.

    Raises:
        UserError: nobody can speak, or the server failed.
    """
    continuation = _Continuation(client, request, scene)
    while (following := continuation.next_request()) is not None:
        async with aclosing(continuation.send(following)) as steps:
            async for step in steps:
                yield step
                if step.ending:
                    return


@dataclass
class _Continuation:
    """A continuation in progress, which can take several requests to the server.

    Attributes:
        lines: Lines so far.
        total: Progress over all requests.
        stuck: Whether the last request gave no line.
    """

    client: ModelClient
    request: GenerationRequest
    scene: Scene
    lines: list[Line] = field(default_factory=list)
    total: Progress = field(default_factory=Progress)
    stuck: bool = False

    @property
    def left(self) -> int:
        return self.request.lines - len(self.lines)

    @property
    def missing(self) -> list[str]:
        spoken = {line.speaker for line in self.lines}
        return [name for name in self.request.constraints.required if name not in spoken]

    def next_request(self) -> GenerationRequest | None:
        """Make the next request: first a free one, then one for each missing speaker."""
        constraints = self.request.constraints
        if self.lines or self.total.ending:
            if not self.missing or self.stuck:
                return None
            constraints = replace(constraints, first=self.missing[0])
        elif len(self.missing) >= self.left and constraints.first is None:
            constraints = replace(constraints, first=self.missing[0])
        return replace(self.request, lines=self.left, constraints=constraints)

    async def send(self, request: GenerationRequest) -> AsyncGenerator[Progress]:
        """Send one request and yield its progress; only the last request gives an ending."""
        before, count = self.total, len(self.lines)
        async with aclosing(self._ask(request)) as steps:
            async for step in steps:
                added, ending = [], step.ending
                for line in step.lines:
                    if find_repetition([*self.scene.lines, *self.lines, line]):
                        ending = "loop"
                        break
                    self.lines.append(line)
                    added.append(line)
                self.total = _combine(before, replace(step, lines=tuple(added), ending=ending))
                self.stuck = len(self.lines) == count
                their_turn = bool(added) and 0 < len(self.missing) == self.left
                again = their_turn or (ending == "finished" and self.missing and not self.stuck)
                if again and self.left and ending != "loop":
                    yield replace(self.total, growing=None, ending=None)
                    return
                yield self.total
                if ending:
                    return

    async def _ask(self, request: GenerationRequest) -> AsyncGenerator[Progress]:
        """Ask the server for the cast lock if it can; filter the lines in any case."""
        scene = self.scene.append(*(Entry(line.text, line.speaker) for line in self.lines))
        model, lockable = request.provenance.model, self.client.lockable
        locked = request.constraints.locked and lockable.get(model, True)
        payload = build_payload(request, scene, locked=locked)
        admit = _make_filter(request, scene)
        try:
            async with aclosing(self._stream(payload, request, admit, locked=locked)) as steps:
                async for step in steps:
                    yield step
            return
        except RequestRefusedError:
            # If the server has said what it can do, the refusal is about another field.
            if not locked or model in lockable:
                raise
        unlocked = {key: value for key, value in payload.items() if key != "extra_body"}
        async with aclosing(self._stream(unlocked, request, admit, locked=False)) as steps:
            async for step in steps:
                lockable[model] = False
                yield step

    async def _stream(
        self,
        payload: dict[str, object],
        request: GenerationRequest,
        admit: LineFilter,
        *,
        locked: bool,
    ) -> AsyncGenerator[Progress]:
        async with aclosing(self.client.stream_lines(payload, request.lines, admit)) as steps:
            async for step in steps:
                if step.filtered:  # the server accepted the lock and ignored it
                    self.client.lockable[request.provenance.model] = locked = False
                lock: LockState = "server" if locked else "filter"
                yield replace(step, lock=lock if request.constraints.restricts_speakers else "off")


def _make_filter(request: GenerationRequest, scene: Scene) -> LineFilter:
    constraints = request.constraints
    cast = set(list_cast(request.show, scene, constraints))

    def admit(line: Line, count: int) -> bool:
        if line.speaker in constraints.barred:
            return False
        if constraints.locked and line.speaker not in cast:
            return False
        return count > 0 or constraints.first in (None, line.speaker)

    return admit


def _combine(before: Progress, step: Progress) -> Progress:
    speed = before.speed.then(step.speed) if before.speed != Speed() else step.speed
    lock: LockState = "filter" if "filter" in (before.lock, step.lock) else step.lock
    return replace(
        step,
        malformed=before.malformed + step.malformed,
        filtered=before.filtered + step.filtered,
        speed=speed,
        lock=lock,
    )
