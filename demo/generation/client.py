"""The client of an OpenAI-compatible server."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Any

from demo.generation.client_errors import ErrorMessages
from demo.generation.models import OfferedModel, read_card
from demo.generation.stream import (
    LineFilter,
    Progress,
    ProgressReader,
    StreamChunk,
    read_chunk,
)

if TYPE_CHECKING:
    from openai import AsyncOpenAI

TIMEOUT = 120.0
"""Seconds without data after which a request fails."""

WAKE_TIMEOUT = 300.0
"""Seconds to keep calling a server that is asleep or loading its model."""

AWAKE = 20.0
"""Seconds after an answer during which a server counts as awake."""


class ModelClient:
    """The address and key of a server. The key is not shown anywhere.

    Attributes:
        lockable: Models of which it is known whether the server can constrain their text to a
            regular expression.
    """

    def __init__(self, base_url: str, api_key: str, timeout: float = TIMEOUT) -> None:
        self.base_url = base_url
        self.timeout = timeout
        self.lockable: dict[str, bool] = {}
        self._errors = ErrorMessages(base_url, timeout)
        self._api_key = api_key
        self._client: AsyncOpenAI | None = None
        self._last_answer = -AWAKE

    @property
    def _openai(self) -> "AsyncOpenAI":
        # Made on first use: openai takes over a second to import.
        from openai import AsyncOpenAI, Timeout

        if self._client is None:
            self._client = AsyncOpenAI(
                base_url=self.base_url,
                api_key=self._api_key,
                timeout=Timeout(self.timeout, connect=min(5.0, self.timeout)),
                max_retries=0,
            )
        return self._client

    async def wake(self, *, force: bool = False) -> AsyncGenerator[float]:
        """Call a server until it answers; yield the seconds waited so far, once a second.

        A sleeping GPU answers 503, or first nothing and then a redirect, until it has started.
        Other errors end the wait: the next request reports them.

        Args:
            force: Also call a server that has just answered.
        """
        started = time.monotonic()
        if not force and started - self._last_answer < AWAKE:
            return
        call = asyncio.create_task(self._call_until_awake())
        try:
            while not (await asyncio.wait([call], timeout=1))[0]:
                waited = time.monotonic() - started
                if waited > WAKE_TIMEOUT:
                    return
                yield waited
            call.result()
        finally:
            call.cancel()

    async def _call_until_awake(self) -> None:
        import openai

        while True:
            try:
                await self._openai.models.list()
                self._last_answer = time.monotonic()
            except openai.APITimeoutError:
                continue
            except (openai.OpenAIError, ValueError) as error:
                if getattr(error, "status_code", None) == 503:
                    self._last_answer = -AWAKE
                    await asyncio.sleep(1)
                    continue
            return

    async def list_models(self) -> tuple[OfferedModel, ...]:
        """List the server's models.

        Raises:
            UserError: the server did not list any.
        """
        with self._explained_errors(""):
            page = await self._openai.models.list()
            cards = getattr(page, "data", None)
            if not isinstance(cards, list):
                raise self._errors.not_openai()
            if not cards:
                raise self._errors.no_models()
            models = tuple(read_card(card.id, card.model_extra or {}) for card in cards)
        self._last_answer = time.monotonic()
        known = {model.name: model.structured for model in models if model.structured is not None}
        self.lockable.update(known)
        return models

    async def score_text(self, model: str, before: str, text: str) -> float | None:
        """Ask how probable a model finds a text.

        Args:
            before: What comes before it. It is read too and not judged.

        Returns:
            The mean log-probability of the text's tokens, in nats; None if the server does not
            give any.

        Raises:
            UserError: the server was not reached, or broke off.
        """
        import openai

        with self._explained_errors(model, answering=True):
            try:
                completion = await self._openai.completions.create(
                    model=model, prompt=before + text, echo=True, logprobs=1, max_tokens=0
                )
            except openai.APIStatusError:
                return None
            choices = completion.choices
        given = choices[0].logprobs if choices else None
        if given is None or not given.text_offset or not given.token_logprobs:
            return None
        offsets = zip(given.text_offset, given.token_logprobs, strict=False)
        scores = [score for offset, score in offsets if offset >= len(before)]
        return sum(scores) / len(scores) if scores else None

    async def stream_lines(
        self, payload: dict[str, Any], wanted: int, admit: LineFilter | None = None
    ) -> AsyncGenerator[Progress]:
        """Request a continuation and yield it as it arrives, up to the wanted lines.

        When the generator ends, is closed or is cancelled, the connection is closed, which makes
        the server stop.

        Args:
            payload: Arguments of `chat.completions.create`.
            admit: The lines to keep; the others are counted.

        Raises:
            UserError: the server refused, timed out, or broke off.
        """
        reader = ProgressReader(wanted, admit, time.monotonic())
        async with aclosing(self._stream_chunks(payload)) as chunks:
            async for chunk in chunks:
                self._last_answer = time.monotonic()
                progress = reader.read(chunk, self._last_answer)
                yield progress
                if progress.ending:
                    return

    async def _stream_chunks(self, payload: dict[str, Any]) -> AsyncGenerator[StreamChunk]:
        from openai import AsyncStream

        completions = self._openai.chat.completions.with_raw_response
        with self._explained_errors(payload["model"]):
            answer = await completions.create(**payload)
        # Events as plain JSON: making openai's own types of them takes a third of the room's time
        # when 50 people write.
        stream = answer.parse(to=AsyncStream[object])
        with self._explained_errors(payload["model"], answering=True):
            async with stream:
                async for event in stream:
                    chunk = read_chunk(event)
                    if chunk.text or chunk.reason:
                        yield chunk
                    if chunk.reason:
                        return
        raise self._errors.lost()

    @contextmanager
    def _explained_errors(self, model: str, *, answering: bool = False) -> Iterator[None]:
        import openai

        try:
            yield
        except (openai.APIError, ValueError) as error:
            if isinstance(error, openai.APIStatusError):
                self._last_answer = -AWAKE
            raise self._errors.explain(error, model, answering=answering) from None
