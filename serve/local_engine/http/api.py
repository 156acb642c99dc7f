"""The HTTP API of the local engine: OpenAI's routes on top of the scheduler."""

import asyncio
import time
from typing import TYPE_CHECKING, Any, cast

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from serve.local_engine.http.answer import Answer
from serve.local_engine.http.chat_answer import ChatAnswer
from serve.local_engine.http.completion_answer import CompletionAnswer
from serve.local_engine.http.invalid_request import describe_invalid
from serve.local_engine.http.job_preparation import (
    make_chat_jobs,
    make_completion_jobs,
    tokenize_chat,
)
from serve.local_engine.http.job_results import run_jobs
from serve.local_engine.request.chat import ChatRequest
from serve.local_engine.request.completion import CompletionRequest
from serve.local_engine.request.tokens import DetokenizeRequest, TokenizeChat, TokenizeText
from serve.local_engine.scheduling.job import GenerationJob, TextChunk
from serve.middleware.asgi import KEY_NAME
from serve.middleware.error_body import make_error
from serve.middleware.refusal import RefusedError

if TYPE_CHECKING:
    from serve.local_engine.scheduling.scheduler import Scheduler


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
        self.post("/v1/completions")(self.complete)
        self.post("/tokenize")(self.tokenize)
        self.post("/detokenize")(self.detokenize)

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
        card = {
            "object": "model",
            "created": int(time.time()),
            "max_model_len": model.max_length,
            "precision": model.precision,
        }
        return {"object": "list", "data": [{"id": name, **card} for name in model.names]}

    async def chat(self, body: ChatRequest, request: Request) -> Response:
        """Continue a chat, as one response or as a stream."""
        scheduler = self._require_scheduler()
        key = request.scope[KEY_NAME]
        jobs = await run_in_threadpool(make_chat_jobs, scheduler, body, key)
        return await self._respond(ChatAnswer(body, jobs, scheduler.model), request)

    async def complete(self, body: CompletionRequest, request: Request) -> Response:
        """Continue texts as they are, without a chat template."""
        scheduler = self._require_scheduler()
        key = request.scope[KEY_NAME]
        jobs = await run_in_threadpool(make_completion_jobs, scheduler, body, key)
        return await self._respond(CompletionAnswer(body, jobs, scheduler.model), request)

    async def _respond(self, answer: Answer[Any], request: Request) -> Response:
        self._loop = asyncio.get_running_loop()
        chunks = run_jobs(self._require_scheduler(), answer.jobs, request)
        if answer.body.stream:
            return StreamingResponse(answer.stream(chunks), media_type="text/event-stream")
        return JSONResponse(await answer.collect(chunks))

    async def tokenize(self, body: TokenizeText | TokenizeChat) -> dict[str, Any]:
        """Return the token ids of a text or of a chat, as vLLM does."""
        model = self._require_scheduler().model
        if isinstance(body, TokenizeChat):
            tokens = await run_in_threadpool(tokenize_chat, model, body)
        else:
            special = body.add_special_tokens
            tokens = await run_in_threadpool(model.encode, body.prompt, add_special_tokens=special)
        texts = model.tokenizer.convert_ids_to_tokens(tokens) if body.return_token_strs else None
        return {
            "count": len(tokens),
            "max_model_len": model.max_length,
            "tokens": tokens,
            "token_strs": texts,
        }

    async def detokenize(self, body: DetokenizeRequest) -> dict[str, str]:
        """Return the text of token ids, as vLLM does."""
        model = self._require_scheduler().model
        return {"prompt": await run_in_threadpool(model.decode, body.tokens)}

    def send(self, items: list[tuple[GenerationJob, TextChunk | Exception]]) -> None:
        """Put results into the queues of their jobs; called in the scheduler's thread."""

        def deliver() -> None:
            for job, item in items:
                job.results.put_nowait(item)

        if items and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(deliver)


async def _respond_refused(_request: Request, error: Exception) -> Response:
    refusal = cast(RefusedError, error)
    return JSONResponse(refusal.body, refusal.status)


async def _respond_invalid(_request: Request, error: Exception) -> Response:
    errors = cast(RequestValidationError, error).errors()
    inside = [{**one, "loc": one["loc"][1:]} for one in errors]
    message, param = describe_invalid(inside)
    return JSONResponse(make_error(message, "invalid_request_error", param=param), 400)
