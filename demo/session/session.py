"""The session of one browser tab or one API call: the scene, and the models that write on it.

It has no Gradio in it: the handlers call its methods and show its state afterwards.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractContextManager, aclosing, nullcontext
from dataclasses import dataclass, field
from typing import Any

from demo.generation.candidates import CandidateRun, CandidateSet
from demo.generation.client import ModelClient
from demo.generation.continuation import continue_lines
from demo.generation.models import OfferedModel
from demo.generation.request import GenerationRequest, build_payload
from demo.generation.stream import Progress
from demo.generation.summary import (
    FAILED,
    StatusMessage,
    describe_kept,
    describe_left_out,
    summarize,
)
from demo.scene.scene import Entry, Provenance, Scene
from demo.session.candidate_editor import CandidateEditor
from demo.session.rate_limit import RateLimiter, Usage
from demo.session.votes import Attempt, Retakes, read_attempt
from nothing_gpt.errors import UserError


@dataclass
class Session(CandidateEditor):
    """A scene, and the generation of its continuations.

    Attributes:
        models: The server's models.
        progress: The last progress of the current or last continuation.
        rate_limiter: Counts the `visitor`'s tokens; None without limits.
        requests: The requests for continuations so far.
    """

    models: tuple[OfferedModel, ...] = ()
    progress: Progress | None = None
    rate_limiter: RateLimiter | None = None
    visitor: str = ""
    requests: dict[Provenance, GenerationRequest] = field(default_factory=dict)

    def preview(self, request: GenerationRequest) -> dict[str, Any]:
        """Build the payload that would be sent.

        Raises:
            UserError: there is nothing to continue, or nobody can speak.
        """
        scene = self._starting_scene()
        lockable = {model.name: model.structured for model in self.models}
        locked = lockable.get(request.provenance.model) is not False
        return build_payload(self.cap_tokens(request), scene, locked=locked)

    async def continue_scene(
        self,
        client: ModelClient,
        request: GenerationRequest,
        *,
        retake: bool = False,
        from_index: int | None = None,
    ) -> AsyncGenerator[Progress]:
        """Have a model continue the scene and add its lines as they arrive.

        An error on the way is reported in `status`; finished lines are kept. The whole
        continuation is one step of undo.

        Args:
            retake: Replace the continuation at the end of the scene. Its lines are kept until
                the new one has its first line.
            from_index: Replace the entry at this index and all after it.

        Raises:
            UserError: there is nothing to continue or to retake, a model is already writing, or
                the visitor has reached the rate limit.
        """
        start = self._starting_scene(retake=retake, from_index=from_index)
        request = self.cap_tokens(request)
        with self.reserve_tokens([request]) as usage:
            self.dismiss_candidates()
            self.finished = asyncio.Event()
            replaces = retake or from_index is not None
            self.shown_for_retake = start if replaces else None
            self._begin_attempt(request, start, replaces=replaces)
            self.status = StatusMessage(f"{request.provenance.model} is writing ...", "busy")
            lines: list[Entry] = []
            step = Progress()
            try:
                yield step
                async with aclosing(continue_lines(client, request, start)) as steps:
                    async for step in steps:
                        usage.tokens = step.speed.tokens
                        self.progress = step
                        for line in step.lines:
                            lines.append(Entry(line.text, line.speaker, request.provenance))
                            self._add_entry(lines[-1])
                        if not step.ending:
                            yield step
                speakers = [entry.speaker or "" for entry in lines]
                self.status = StatusMessage(summarize(request, speakers, step))
            except UserError as error:
                kept = describe_kept(len(lines)) if lines else ""
                self.status = StatusMessage.problem(error, kept)
            except (asyncio.CancelledError, GeneratorExit):
                kept = describe_kept(len(lines))
                self.status = StatusMessage(f"Stopped. {kept}{describe_left_out(step)}")
                raise
            except Exception:
                self.status = FAILED
                raise
            finally:
                self._end_attempt(request, lines)
                self.shown_for_retake = None
                self.finished.set()

    async def write_candidates(
        self, client: ModelClient, requests: Sequence[GenerationRequest], *, blind: bool = False
    ) -> AsyncGenerator[CandidateSet]:
        """Have several candidates written at the same time and keep each as a branch.

        Closing the generator stops all of them.

        Args:
            blind: Show them in random order and without the names of their models.

        Raises:
            UserError: as `continue_scene` does.
        """
        start = self._starting_scene()
        capped = [self.cap_tokens(request) for request in requests]
        with self.reserve_tokens(capped) as usage:
            self.finished = asyncio.Event()
            self.settle_retakes()
            self.candidate_run = run = CandidateRun(capped, start, self.history.at, blind=blind)
            self.status = StatusMessage(f"{len(requests)} takes are being written ...", "busy")
            try:
                async with aclosing(run.write(client, self.keep_candidate)) as steps:
                    async for candidate_set in steps:
                        usage.tokens = sum(each.speed.tokens for each in candidate_set.candidates)
                        yield candidate_set
                self.status = StatusMessage("Choose a take; the others stay as other versions.")
            except (asyncio.CancelledError, GeneratorExit):
                self.status = StatusMessage("Stopped. What is there can still be chosen.")
                raise
            finally:
                self.finished.set()

    def _starting_scene(self, *, retake: bool = False, from_index: int | None = None) -> Scene:
        self.require_idle()
        scene = self.history.scene
        if from_index is not None and not 0 <= from_index < len(scene.entries):
            raise UserError("that line is no longer here; look at the scene again")
        if retake and not scene.last_take:
            raise UserError("the scene does not end with a model's lines; Continue writes some")
        if from_index is not None:
            start = scene.before(from_index)
        else:
            start = scene.without_last_take() if retake else scene
        if not start.lines:
            raise UserError(
                "the page has no line to go on from; write the first one, or take an opening"
            )
        return start

    def _begin_attempt(self, request: GenerationRequest, start: Scene, *, replaces: bool) -> None:
        """Remember the lines that a retake replaces, to count it as a vote later."""
        self.requests[request.provenance] = request
        if not replaces or (self.retakes and self.retakes.start != start):
            self.settle_retakes()
        if replaces and self.retakes is None:
            replaced = self.history.scene.entries[len(start.entries) :]
            attempt = read_attempt(replaced, self.requests)
            self.retakes = Retakes(start, (attempt,)) if attempt else None

    def _end_attempt(self, request: GenerationRequest, entries: Sequence[Entry]) -> None:
        if self.retakes is not None:
            lines = tuple(entry.line for entry in entries if entry.line)
            self.retakes = self.retakes.add(Attempt(request.provenance, lines, request))

    def _add_entry(self, entry: Entry) -> None:
        if self.shown_for_retake is None:
            self.history = self.history.extend(entry)
        else:  # the first line of a retake replaces the old lines
            kept = len(self.shown_for_retake.entries)
            scene = self.history.scene.before(kept).append(entry)
            self.history = self.history.change(scene, entry.take)
            self.shown_for_retake = None

    def cap_tokens(self, request: GenerationRequest) -> GenerationRequest:
        """Limit a request to the tokens that a visitor can have at once."""
        if self.rate_limiter is None:
            return request
        return request.with_max_tokens(self.rate_limiter.limits.cap(request.max_tokens))

    def reserve_tokens(
        self, requests: Sequence[GenerationRequest]
    ) -> AbstractContextManager[Usage]:
        """Count the tokens of requests for the visitor while a block runs."""
        if self.rate_limiter is None:
            return nullcontext(Usage())
        tokens = [request.max_tokens for request in requests]
        return self.rate_limiter.reserved(self.visitor, tokens)
