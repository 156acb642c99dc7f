"""The HTTP side of the local engine: OpenAI's routes over the scheduler."""

import asyncio
import json
import random
import time
import uuid
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, cast

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from serve.gate import make_error
from serve.local.job import Job, Piece
from serve.local.request import ChatRequest

if TYPE_CHECKING:
    from serve.local.scheduler import Scheduler


class RefusalError(Exception):
    """An answer that is an error."""

    def __init__(
        self, status: int, message: str, param: str | None = None, code: str = ""
    ) -> None:
        super().__init__(message)
        kind = "server_error" if status >= 500 else "invalid_request_error"
        self.status = status
        self.body = make_error(message, kind, param=param, code=code or None)


class Api(FastAPI):
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
        """Give the scheduler, or refuse while there is none."""
        if self.scheduler is None:
            raise RefusalError(503, "the model is still loading; try again soon", code="loading")
        return self.scheduler

    async def health(self) -> dict[str, str]:
        """Tell whether requests can be answered."""
        self.ready()
        return {"status": "ok"}

    async def metrics(self) -> str:
        """Count sequences and jobs, under the names that vLLM gives these figures."""
        scheduler = self.ready()
        sizes = {"running": len(scheduler.running), "waiting": len(scheduler.waiting)}
        return "".join(f"vllm:num_requests_{name} {size}\n" for name, size in sizes.items())

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
        pieces, answer = _listen(scheduler, job, request), _Answer(job)
        if body.stream:
            return StreamingResponse(answer.stream(pieces), media_type="text/event-stream")
        return JSONResponse(await answer.whole(pieces))

    def send(self, items: list[tuple[Job, Piece | Exception]]) -> None:
        """Take what a step made, in the scheduler's thread, and wake the event loop once."""

        def deliver() -> None:
            for job, item in items:
                job.results.put_nowait(item)

        if items and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(deliver)


def _prepare(scheduler: "Scheduler", body: ChatRequest) -> Job:
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
    return Job(body, prompt, wanted, seed, matcher)


async def _listen(scheduler: "Scheduler", job: Job, request: Request) -> AsyncIterator[Piece]:
    """Run a job: yield its pieces until all choices are finished or the client is gone."""

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        job.cancelled = True
        job.results.put_nowait(None)

    watcher = asyncio.create_task(watch())
    unfinished = job.request.n
    try:
        scheduler.submit(job)
        while unfinished and (item := await job.results.get()) is not None:
            if isinstance(item, Exception):
                raise RefusalError(503, "the engine stopped in the middle", code="engine_stopped")
            unfinished -= item.finish is not None
            yield item
    finally:
        job.cancelled = True
        watcher.cancel()


class _Answer:
    """Pieces as OpenAI's response objects."""

    def __init__(self, job: Job) -> None:
        self._job, self._request = job, job.request
        self._made = 0
        self._head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time())}
        self._head["model"] = job.request.model

    async def whole(self, pieces: AsyncIterator[Piece]) -> dict[str, Any]:
        """Gather everything into one completion."""
        got: list[list[Piece]] = [[] for _ in range(self._request.n)]
        async for piece in pieces:
            got[piece.index].append(piece)
            self._made += 1
        choices = []
        for part in filter(None, got):
            text = "".join(piece.text for piece in part)
            message = {"role": "assistant", "content": text, "refusal": None}
            choices.append(self._choice(part, message=message))
        return self._object("chat.completion", choices, **self._usage(), **self._prompt())

    async def stream(self, pieces: AsyncIterator[Piece]) -> AsyncIterator[str]:
        """Give one event for each piece of text."""
        first = [
            {"index": i, "delta": {"role": "assistant", "content": ""}}
            for i in range(self._request.n)
        ]
        yield _event(self._object("chat.completion.chunk", first, **self._prompt()))
        try:
            async for piece in pieces:
                self._made += 1
                if piece.text or piece.finish or self._request.return_token_ids:
                    choice = self._choice([piece], delta={"content": piece.text})
                    yield _event(self._object("chat.completion.chunk", [choice]))
        except RefusalError as refusal:
            yield _event(refusal.body)
        if self._request.stream_options.include_usage:
            yield _event(self._object("chat.completion.chunk", [], **self._usage()))
        yield "data: [DONE]\n\n"

    def _object(self, kind: str, choices: list[Any], **more: Any) -> dict[str, Any]:
        return {**self._head, "object": kind, "choices": choices, **more}

    def _choice(self, pieces: list[Piece], **content: Any) -> dict[str, Any]:
        ids = {"token_ids": [piece.token for piece in pieces]}
        return {
            "index": pieces[-1].index,
            "finish_reason": pieces[-1].finish,
            **content,
            **(ids if self._request.return_token_ids else {}),
        }

    def _prompt(self) -> dict[str, list[int]]:
        return {"prompt_token_ids": self._job.prompt} if self._request.return_token_ids else {}

    def _usage(self) -> dict[str, dict[str, int]]:
        read, made = len(self._job.prompt), self._made
        counts = {"prompt_tokens": read, "completion_tokens": made, "total_tokens": read + made}
        return {"usage": counts}


def _event(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"


async def _refuse(_request: Request, error: Exception) -> Response:
    refusal = cast(RefusalError, error)
    return JSONResponse(refusal.body, refusal.status)


async def _refuse_invalid(_request: Request, error: Exception) -> Response:
    first = cast(RequestValidationError, error).errors()[0]
    where = [str(part) for part in first["loc"][1:]]
    message = f"{'.'.join(where) or 'body'}: {first['msg']}"
    param = where[0] if where else None
    return JSONResponse(make_error(message, "invalid_request_error", param=param), 400)
