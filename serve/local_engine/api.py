"""The HTTP side of the local engine: OpenAI's routes over the scheduler."""

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

from serve.local_engine.job import GenerationJob, TextChunk
from serve.local_engine.request import ChatRequest
from serve.middleware.gateway import make_error

if TYPE_CHECKING:
    from serve.local_engine.scheduler import Scheduler


_encode = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps would make one each time


class RefusalError(Exception):
    """An answer that is an error."""

    def __init__(
        self, status: int, message: str, param: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message)
        kind = "server_error" if status >= 500 else "invalid_request_error"
        self.status, self.body = status, make_error(message, kind, param=param, code=code)


class LocalApi(FastAPI):
    """The routes. `scheduler` is None until the model is in memory."""

    def __init__(self) -> None:
        super().__init__(title="Nothing-GPT", docs_url=None, redoc_url=None)
        self.scheduler: Scheduler | None = None
        self._loop: asyncio.AbstractEventLoop
        self.add_exception_handler(RefusalError, _refuse)
        self.add_exception_handler(RequestValidationError, _refuse_invalid)
        self.get("/health")(self.health)
        self.get("/metrics", response_class=PlainTextResponse)(self.metrics)
        self.get("/v1/models")(self.models)
        self.post("/v1/chat/completions")(self.chat)

    def ready(self) -> "Scheduler":
        """Give the scheduler, or refuse while there is none that works."""
        if self.scheduler is None:
            raise RefusalError(503, "the model is still loading; try again soon", code="loading")
        if self.scheduler.failure is not None:
            raise RefusalError(503, "the engine has failed and ends", code="engine_failed")
        return self.scheduler

    async def health(self) -> dict[str, str]:
        """Tell whether requests can be answered."""
        self.ready()
        return {"status": "ok"}

    async def metrics(self) -> Response:
        """Give what the engine has counted, under vLLM's names."""
        return PlainTextResponse(self.ready().metrics.render())

    async def models(self) -> dict[str, Any]:
        """List what may be asked for; the gate adds what the manifests say."""
        model = self.ready().model
        about = {"object": "model", "created": int(time.time()), "max_model_len": model.limit}
        return {"object": "list", "data": [{"id": name, **about} for name in model.names]}

    async def chat(self, body: ChatRequest, request: Request) -> Response:
        """Continue a chat, as a whole or as a stream."""
        self._loop = asyncio.get_running_loop()
        scheduler = self.ready()
        job = await run_in_threadpool(_prepare, scheduler, body)
        pieces = _listen(scheduler, job, request)
        if body.stream:
            return StreamingResponse(_stream(job, pieces), media_type="text/event-stream")
        return JSONResponse(await _gather(job, pieces))

    def send(self, items: list[tuple[GenerationJob, TextChunk | Exception]]) -> None:
        """Take what a step made, in the scheduler's thread, and wake the event loop once."""

        def deliver() -> None:
            for job, item in items:
                job.results.put_nowait(item)

        if items and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(deliver)


def _prepare(scheduler: "Scheduler", body: ChatRequest) -> GenerationJob:
    model = scheduler.model
    if body.model not in model.names:
        raise RefusalError(404, "no such model", "model", "model_not_found")
    if body.n > scheduler.rows:
        raise RefusalError(400, f"n may be at most {scheduler.rows} here", "n")
    try:
        prompt = model.read([message.flat() for message in body.messages])
    except ValueError as error:
        raise RefusalError(400, str(error), "messages") from None
    rule = body.structured_outputs
    try:
        matcher = model.compile(rule.regex) if rule else None
    except ValueError as error:
        raise RefusalError(400, f"regex: {error}", "structured_outputs") from None
    room = model.limit - len(prompt)
    wanted = body.max_completion_tokens or body.max_tokens or max(room, 1)
    if wanted > room:
        text = f"{len(prompt)} tokens of prompt and {wanted} to write: only {model.limit} fit"
        raise RefusalError(400, text, "messages", "context_length_exceeded")
    seed = random.getrandbits(62) if body.seed is None else body.seed
    return GenerationJob(body, prompt, wanted, seed, matcher)


async def _listen(
    scheduler: "Scheduler", job: GenerationJob, request: Request
) -> AsyncIterator[list[TextChunk]]:
    """Run a job: yield each choice's new pieces until all are finished or the client is gone."""

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
            fresh: dict[int, list[TextChunk]] = {}
            # What piled up while the client or the event loop was busy goes out together.
            for item in [await job.results.get(), *_drain(job.results)]:
                if item is None:
                    return
                if isinstance(item, Exception):
                    text = "the engine stopped in the middle"
                    raise RefusalError(503, text, code="engine_stopped")
                fresh.setdefault(item.index, []).append(item)
                unfinished -= item.finish is not None
                job.made += 1
            for pieces in fresh.values():
                yield pieces
    finally:
        job.cancelled = True
        watcher.cancel()


def _drain(
    results: "asyncio.Queue[TextChunk | Exception | None]",
) -> list[TextChunk | Exception | None]:
    return [results.get_nowait() for _ in range(results.qsize())]


async def _gather(job: GenerationJob, pieces: AsyncIterator[list[TextChunk]]) -> dict[str, Any]:
    """Put everything into one completion."""
    got: dict[int, list[TextChunk]] = {}
    async for fresh in pieces:
        got.setdefault(fresh[0].index, []).extend(fresh)
    choices = []
    for index in sorted(got):
        text = "".join(piece.text for piece in got[index])
        message = {"role": "assistant", "content": text, "refusal": None}
        choices.append(_choice(job, got[index], message=message))
    return _object(job, "chat.completion", choices, usage=_usage(job), **_ids(job))


async def _stream(
    job: GenerationJob, pieces: AsyncIterator[list[TextChunk]]
) -> AsyncIterator[str]:
    """Give an event for each piece of text."""
    opening = {"role": "assistant", "content": ""}
    first = [{"index": index, "delta": opening} for index in range(job.request.n)]
    yield _event(_object(job, "chat.completion.chunk", first, **_ids(job)))
    try:
        async for fresh in pieces:
            text = "".join(piece.text for piece in fresh)
            if text or fresh[-1].finish or job.request.return_token_ids:
                choice = _choice(job, fresh, delta={"content": text})
                yield _event(_object(job, "chat.completion.chunk", [choice]))
    except RefusalError as refusal:
        yield _event(refusal.body)
    if job.request.stream_options.include_usage:
        yield _event(_object(job, "chat.completion.chunk", [], usage=_usage(job)))
    yield "data: [DONE]\n\n"


def _object(job: GenerationJob, kind: str, choices: list[Any], **more: Any) -> dict[str, Any]:
    head = {"id": job.id, "object": kind, "created": job.created, "model": job.request.model}
    return {**head, "choices": choices, **more}


def _choice(job: GenerationJob, pieces: list[TextChunk], **content: Any) -> dict[str, Any]:
    ids = {"token_ids": [piece.token for piece in pieces]} if job.request.return_token_ids else {}
    last = pieces[-1]
    return {"index": last.index, "finish_reason": last.finish, **content, **ids}


def _ids(job: GenerationJob) -> dict[str, list[int]]:
    return {"prompt_token_ids": job.prompt} if job.request.return_token_ids else {}


def _usage(job: GenerationJob) -> dict[str, int]:
    read, made = len(job.prompt), job.made
    return {"prompt_tokens": read, "completion_tokens": made, "total_tokens": read + made}


def _event(data: dict[str, Any]) -> str:
    return f"data: {_encode(data)}\n\n"


async def _refuse(_request: Request, error: Exception) -> Response:
    refusal = cast(RefusalError, error)
    return JSONResponse(refusal.body, refusal.status)


async def _refuse_invalid(_request: Request, error: Exception) -> Response:
    first = cast(RequestValidationError, error).errors()[0]
    where = [str(part) for part in first["loc"][1:]]
    message = f"{'.'.join(where) or 'body'}: {first['msg']}"
    param = where[0] if where else None
    return JSONResponse(make_error(message, "invalid_request_error", param=param), 400)
