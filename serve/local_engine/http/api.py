"""The HTTP API of the local engine: OpenAI's routes on top of the scheduler."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, cast

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from serve.local_engine.http.invalid_request import describe_invalid
from serve.local_engine.request import ChatRequest
from serve.local_engine.scheduling.job import GenerationJob, TextChunk
from serve.middleware.asgi import KEY_NAME
from serve.middleware.error_body import make_error
from serve.middleware.refusal import RefusedError

if TYPE_CHECKING:
    from serve.local_engine.scheduling.scheduler import Scheduler


_encode_json = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps makes one at each call


class LocalApi(FastAPI):
    """The routes.

    Attributes:
        scheduler: None until the model is in memory.
    """

    def __init__(self) -> None:
        super().__init__(title="Nothing-GPT", docs_url=None, redoc_url=None)
        self.scheduler: Scheduler | None = None
        self._loop: asyncio.AbstractEventLoop
        self.add_exception_handler(RefusedError, _respond_refused)
        self.add_exception_handler(RequestValidationError, _respond_invalid)
        self.get("/health")(self.health)
        self.get("/metrics", response_class=PlainTextResponse)(self.metrics)
        self.get("/v1/models")(self.models)
        self.post("/v1/chat/completions")(self.chat)

    def _require_scheduler(self) -> "Scheduler":
        """Return the scheduler; raise `RefusedError` while there is none that works."""
        if self.scheduler is None:
            raise RefusedError(503, "the model is still loading; try again soon", code="loading")
        if self.scheduler.failure is not None:
            raise RefusedError(503, "the engine has failed and ends", code="engine_failed")
        return self.scheduler

    async def health(self) -> dict[str, str]:
        """Report whether requests can be answered."""
        self._require_scheduler()
        return {"status": "ok"}

    async def metrics(self) -> Response:
        """Report the engine's metrics, under vLLM's names."""
        return PlainTextResponse(self._require_scheduler().metrics.render())

    async def models(self) -> dict[str, Any]:
        """List the models; the gateway adds what their manifests say."""
        model = self._require_scheduler().model
        card = {"object": "model", "created": int(time.time()), "max_model_len": model.max_length}
        return {"object": "list", "data": [{"id": name, **card} for name in model.names]}

    async def chat(self, body: ChatRequest, request: Request) -> Response:
        """Continue a chat, as one response or as a stream."""
        self._loop = asyncio.get_running_loop()
        scheduler = self._require_scheduler()
        job = await run_in_threadpool(_make_job, scheduler, body, request.scope[KEY_NAME])
        chunks = _run_job(scheduler, job, request)
        if body.stream:
            return StreamingResponse(_stream_events(job, chunks), media_type="text/event-stream")
        return JSONResponse(await _collect_completion(job, chunks))

    def send(self, items: list[tuple[GenerationJob, TextChunk | Exception]]) -> None:
        """Put results into the queues of their jobs; called in the scheduler's thread."""

        def deliver() -> None:
            for job, item in items:
                job.results.put_nowait(item)

        if items and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(deliver)


def _make_job(scheduler: "Scheduler", body: ChatRequest, key: str | None) -> GenerationJob:
    """Turn a request into a job; raise `RefusedError` if it cannot be answered."""
    model = scheduler.model
    if body.model not in model.names:
        raise RefusedError(404, "no such model", param="model", code="model_not_found")
    if body.n > scheduler.rows:
        raise RefusedError(400, f"n may be at most {scheduler.rows} here", param="n")
    try:
        prompt = model.tokenize([message.flatten() for message in body.messages])
    except ValueError as error:
        raise RefusedError(400, str(error), param="messages") from None
    constraint = body.structured_outputs
    try:
        matcher = model.regex_compiler.compile(constraint.regex) if constraint else None
    except ValueError as error:
        raise RefusedError(400, f"regex: {error}", param="structured_outputs") from None
    available = model.max_length - len(prompt)
    wanted = body.max_completion_tokens or body.max_tokens or max(available, 1)
    if wanted > available:
        # Clients look for the first sentence, and shorten their messages.
        text = (
            f"This model's maximum context length is {model.max_length} tokens. However, you "
            f"requested {len(prompt)} in the messages and {wanted} in the completion."
        )
        raise RefusedError(400, text, param="messages", code="context_length_exceeded")
    seed = random.getrandbits(62) if body.seed in (None, -1) else body.seed
    return GenerationJob(body, prompt, wanted, seed, matcher, key)


async def _run_job(
    scheduler: "Scheduler", job: GenerationJob, request: Request
) -> AsyncIterator[list[TextChunk]]:
    """Run a job, and yield new chunks until all choices are finished or the client disconnects.

    Yields:
        The new chunks of one choice.
    """

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        job.cancelled = True
        job.results.put_nowait(None)

    watcher = asyncio.create_task(watch())
    unfinished = job.request.n
    try:
        scheduler.submit(job)
        while unfinished:
            by_choice: dict[int, list[TextChunk]] = {}
            # Chunks that came while the client or the event loop was busy are sent together.
            for item in [await job.results.get(), *_take_available(job.results)]:
                if item is None:
                    return
                if isinstance(item, RefusedError):
                    raise item
                if isinstance(item, Exception):
                    text = "the engine stopped in the middle"
                    raise RefusedError(503, text, code="engine_stopped")
                by_choice.setdefault(item.index, []).append(item)
                unfinished -= item.finish_reason is not None
                job.completion_tokens += 1
            for chunks in by_choice.values():
                yield chunks
    finally:
        job.cancelled = True
        watcher.cancel()


def _take_available(
    results: "asyncio.Queue[TextChunk | Exception | None]",
) -> list[TextChunk | Exception | None]:
    return [results.get_nowait() for _ in range(results.qsize())]


async def _collect_completion(
    job: GenerationJob, chunks: AsyncIterator[list[TextChunk]]
) -> dict[str, Any]:
    """Put all chunks of a job into one completion."""
    by_choice: dict[int, list[TextChunk]] = {}
    async for new in chunks:
        by_choice.setdefault(new[0].index, []).extend(new)
    choices = []
    for index in sorted(by_choice):
        text = "".join(chunk.text for chunk in by_choice[index])
        message = {"role": "assistant", "content": text, "refusal": None}
        choices.append(job.make_choice(by_choice[index], message=message))
    more = {"usage": job.make_usage(), **job.make_prompt_ids()}
    return job.make_object("chat.completion", choices, **more)


async def _stream_events(
    job: GenerationJob, chunks: AsyncIterator[list[TextChunk]]
) -> AsyncIterator[str]:
    """Yield the events of a job's stream."""
    kind = "chat.completion.chunk"
    opening = {"role": "assistant", "content": ""}
    first = [{"index": index, "delta": opening} for index in range(job.request.n)]
    yield _make_event(job.make_object(kind, first, **job.make_prompt_ids()))
    try:
        async for new in chunks:
            text = "".join(chunk.text for chunk in new)
            if text or new[-1].finish_reason or job.request.return_token_ids:
                choice = job.make_choice(new, delta={"content": text})
                yield _make_event(job.make_object(kind, [choice]))
    except RefusedError as refusal:
        yield _make_event(refusal.body)
    if job.request.stream_options.include_usage:
        yield _make_event(job.make_object(kind, [], usage=job.make_usage()))
    yield "data: [DONE]\n\n"


def _make_event(data: dict[str, Any]) -> str:
    return f"data: {_encode_json(data)}\n\n"


async def _respond_refused(_request: Request, error: Exception) -> Response:
    refusal = cast(RefusedError, error)
    return JSONResponse(refusal.body, refusal.status)


async def _respond_invalid(_request: Request, error: Exception) -> Response:
    errors = cast(RequestValidationError, error).errors()
    inside = [{**one, "loc": one["loc"][1:]} for one in errors]
    message, param = describe_invalid(inside)
    return JSONResponse(make_error(message, "invalid_request_error", param=param), 400)
