"""The room's way to a model: any OpenAI-compatible server, and its faults in plain words."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from demo.generation.speed import Speed, SpeedMeter
from demo.generation.stream import StreamChunk, read_chunk
from nothing_gpt.errors import UserError
from nothing_gpt.line import Line, LineStream, MalformedLine
from nothing_gpt.records import decode
from nothing_gpt.show import FormatName, Show

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI

PATIENCE = 120.0
"""Seconds without a word from the server after which the room gives up on it."""

WAKING = 300.0
"""Seconds for which the room goes on calling a server that is asleep or loads its model."""

AWAKE = 20.0
"""Seconds after its last word for which a server is taken to be awake, and not called again."""

Ending = Literal["enough", "finished", "cut", "loop"]
"""Why a continuation ended: all lines are there, the model ended the scene, tokens ran out, or
the model went round in circles."""

LockState = Literal["server", "filter", "off"]
"""Who keeps the speakers to the cast: the server as it writes, the room by leaving out the lines
of others, or nobody."""


class RequestRefusedError(UserError):
    """The server would not take the request as it was (400 or 422); another form may do."""


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """A model that the server offers; an adapter of ours brings its show and its format.

    `structured` says whether the server holds a model's text to an expression; None if it does
    not tell. `note` says what could not be read of its card.
    """

    name: str
    parent: str | None = None
    show: Show | None = None
    format: FormatName | None = None
    note: str = ""
    structured: bool | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """A continuation so far: what the last piece of text changed.

    `lines` were completed by it, `growing` is the unfinished line after it, `dropped` counts
    all text lines so far that were no script lines, `barred` those of people who may not speak.
    """

    lines: tuple[Line, ...] = ()
    growing: Line | None = None
    dropped: int = 0
    ending: Ending | None = None
    barred: int = 0
    speed: Speed = field(default_factory=Speed)
    lock: LockState = "off"


LineFilter = Callable[[Line, int], bool]
"""Whether a line may stand in a continuation, after so many others."""


class ModelClient:
    """A server's address and key. The key is kept in the client and shown nowhere."""

    def __init__(self, base_url: str, api_key: str, patience: float = PATIENCE) -> None:
        self.base_url = base_url
        self.patience = patience
        self.lockable: dict[str, bool] = {}
        """What was learnt of models: whether the server holds them to an expression."""
        self._api_key = api_key
        self._client: AsyncOpenAI | None = None
        self._heard = -AWAKE

    @property
    def _openai(self) -> "AsyncOpenAI":
        # Made when first needed: openai takes over a second to import.
        from openai import AsyncOpenAI, Timeout

        if self._client is None:
            self._client = AsyncOpenAI(
                base_url=self.base_url,
                api_key=self._api_key,
                timeout=Timeout(self.patience, connect=min(5.0, self.patience)),
                max_retries=0,
            )
        return self._client

    async def wake(self, *, anyway: bool = False) -> AsyncGenerator[float]:
        """Call a server that may be asleep until it answers; give the seconds so far, each second.

        A GPU that sleeps answers 503, or nothing and then a redirect, until it has started. What
        else a server says is no matter here: the next request will tell. One that has just
        answered is only called `anyway`.
        """
        started = time.monotonic()
        if not anyway and started - self._heard < AWAKE:
            return
        call = asyncio.create_task(self._call())
        try:
            while not (await asyncio.wait([call], timeout=1))[0]:
                waited = time.monotonic() - started
                if waited > WAKING:
                    return
                yield waited
            call.result()
        finally:
            call.cancel()

    async def _call(self) -> None:
        import openai

        while True:
            try:
                await self._openai.models.list()
                self._heard = time.monotonic()
            except openai.APITimeoutError:
                continue
            except (openai.OpenAIError, ValueError) as error:
                if getattr(error, "status_code", None) == 503:
                    self._heard = -AWAKE
                    await asyncio.sleep(1)
                    continue
            return

    async def list_models(self) -> tuple[OfferedModel, ...]:
        """Ask which models there are.

        Raises:
            UserError: the server cannot say, and why.
        """
        with self._explained(""):
            page = await self._openai.models.list()
            cards = getattr(page, "data", None)
            if not isinstance(cards, list):
                raise UserError(self._not_openai())
            if not cards:
                raise UserError(f"the server at {self.base_url} offers no model yet")
            models = tuple(_read_card(card.id, card.model_extra or {}) for card in cards)
        self._heard = time.monotonic()
        told = {model.name: model.structured for model in models if model.structured is not None}
        self.lockable.update(told)
        return models

    async def stream_lines(
        self, request: dict[str, Any], wanted: int, admit: LineFilter | None = None
    ) -> AsyncGenerator[Progress]:
        """Ask for a continuation and give it as it arrives, until the wanted lines are there.

        However this ends, by itself or by being closed or cancelled, the connection is closed,
        by which the server knows to stop.

        Raises:
            UserError: the server refused, went silent, or died in the middle of it.
        """
        reader, clock = LineStream(), SpeedMeter(time.monotonic())
        count, dropped, barred = 0, 0, 0

        def may(line: Line) -> bool:
            return admit is None or admit(line, count)

        async with aclosing(self._stream_text(request)) as pieces:
            async for piece in pieces:
                self._heard = time.monotonic()
                clock.tick(self._heard, piece)
                parts = reader.feed(piece.text)
                if piece.reason:
                    # A line that the token limit cut off is not the model's line.
                    parts += [] if piece.reason == "length" else reader.close()
                lines = []
                for part in parts:
                    if isinstance(part, MalformedLine):
                        dropped += 1
                    elif count < wanted and may(part):
                        lines.append(part)
                        count += 1
                    elif count < wanted:
                        barred += 1
                ending: Ending | None = None
                if count == wanted:
                    ending = "enough"
                elif piece.reason:
                    ending = "cut" if piece.reason == "length" else "finished"
                growing = reader.pending if ending is None else None
                if not isinstance(growing, Line) or not may(growing):
                    growing = None
                if lines:
                    clock.line(time.monotonic())
                yield Progress(tuple(lines), growing, dropped, ending, barred, clock.speed)
                if ending:
                    return

    async def _stream_text(self, request: dict[str, Any]) -> AsyncGenerator[StreamChunk]:
        with self._explained(request["model"]):
            stream = await self._openai.chat.completions.create(**request)
        with self._explained(request["model"], answering=True):
            async with stream:
                async for chunk in stream:
                    piece = read_chunk(chunk)
                    if piece.text or piece.reason:
                        yield piece
                    if piece.reason:
                        return
        raise UserError(self._lost(answering=True))

    @contextmanager
    def _explained(self, model: str, *, answering: bool = False) -> Iterator[None]:
        """Say an OpenAI client's errors in a writer's words, with what to do."""
        import openai

        try:
            yield
        except openai.APITimeoutError:
            raise UserError(
                f"the server at {self.base_url} has not said a word for {self.patience:g} "
                f"seconds; try again, or look at the server"
            ) from None
        except openai.APIConnectionError:
            raise UserError(self._lost(answering=answering)) from None
        except openai.APIStatusError as error:
            self._heard = -AWAKE
            kind = RequestRefusedError if error.status_code in (400, 422) else UserError
            raise kind(self._refused(error, model)) from None
        except openai.APIError as error:
            raise UserError(f"the server broke off: {error.message}; try again") from None
        except ValueError as error:  # no JSON, or not the expected one
            raise UserError(f"the server sent what is not OpenAI's protocol ({error})") from None

    def _lost(self, *, answering: bool) -> str:
        if answering:
            return f"the server at {self.base_url} broke off in the middle; is it still running?"
        return f"the server at {self.base_url} cannot be reached; start it, or check the address"

    def _not_openai(self) -> str:
        return (
            f"what answers at {self.base_url} is no OpenAI-compatible server; such an address "
            f"mostly ends in /v1"
        )

    def _refused(self, error: "APIStatusError", model: str) -> str:
        status = error.status_code
        if status in (401, 403):
            return (
                f"the server refused the key ({status}); set OPENAI_API_KEY to a valid one and "
                f"start the room again"
            )
        if status == 404 and model:
            return f"the server has no model '{model}'; choose another one"
        if status == 404:
            return self._not_openai()
        if status == 429:
            return "the server is busy (429); wait a little and try again"
        if status == 503:
            return "the server is still loading its model (503); try again in a moment"
        return f"the server answered with an error ({status}): {_said(error)}"


@dataclass(frozen=True, slots=True)
class _Brought:
    show: Show
    format: FormatName


def _said(error: "APIStatusError") -> str:
    body = error.body
    message = body.get("message") if isinstance(body, dict) else None
    return str(message or error.message)[:300]


def _read_card(name: str, extra: dict[str, Any]) -> OfferedModel:
    parent = extra.get("parent") if isinstance(extra.get("parent"), str) else None
    told = extra.get("structured_outputs")
    structured = told if isinstance(told, bool) else None
    ours = extra.get("nothing_gpt")
    if not isinstance(ours, dict):
        return OfferedModel(name, parent, structured=structured)
    where = f"the server's card of '{name}'"
    try:
        brought = decode(_Brought, {key: ours.get(key) for key in ("show", "format")}, where)
    except UserError as error:
        note = f"{error}; choose the show by hand"
        return OfferedModel(name, parent, note=note, structured=structured)
    return OfferedModel(name, parent, brought.show, brought.format, structured=structured)
