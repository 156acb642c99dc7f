"""Browser tab simulated over Gradio's queue protocol."""

import re
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

LINE = re.compile(r"asked=(\d+\.\d+)[ w\d]* ended=(\d+\.\d+)")
"""Times that the paced endpoint writes into its first line."""


@dataclass
class ContinuationTiming:
    """Timing of one continuation, in seconds.

    Attributes:
        added: Time that the room added to the first line; None until the line arrives.
        gaps: Times between two updates of the page.
        lines: Numbers of the lines that arrived.
        error: What went wrong, empty if nothing did.
    """

    added: float | None = None
    gaps: list[float] = field(default_factory=list)
    lines: set[str] = field(default_factory=set)
    error: str = ""


@dataclass(frozen=True)
class Page:
    """The loaded page: for each handler, its number and the values of its input fields."""

    url: str
    hello: tuple[int, list[Any]]
    connect: tuple[int, list[Any]]
    again: tuple[int, list[Any]]
    act: tuple[int, list[Any]]
    proceed: tuple[int, list[Any]]


def read_page(url: str, lines: int, model: str = "paced") -> Page:
    """Read the room's configuration; find five handlers and the values of their fields.

    Handlers are found by what triggers them.
    """
    config = httpx.get(f"{url}/config").json()
    components = {each["id"]: each for each in config["components"]}
    filled = {"Model": model, "Lines to write": lines, "Who": "DOT", "Seed": None}

    def find_event(name: str, **props: str) -> dict[str, Any]:
        def matches(target: list[Any]) -> bool:
            found = components.get(target[0], {}).get("props", {})
            return bool(target[1] == name and props.items() <= found.items())

        return next(d for d in config["dependencies"] if any(map(matches, d["targets"])))

    def fill(event: dict[str, Any]) -> tuple[int, list[Any]]:
        data = []
        for number in event["inputs"]:
            kind, props = components[number]["type"], components[number]["props"]
            value = props.get("value")
            value = ("" if kind == "textbox" else None) if value is None else value
            data.append(filled.get(props.get("label"), value))
        return event["id"], data

    return Page(
        url,
        hello=fill(find_event("hello")),
        connect=fill(find_event("connect")),
        again=fill(find_event("again")),
        act=fill(find_event("act")),
        proceed=fill(find_event("proceed")),
    )


class SimulatedTab:
    """Browser tab with the room open."""

    def __init__(self, client: httpx.AsyncClient, page: Page) -> None:
        self._client = client
        self._page = page
        self.session = f"{Random().getrandbits(64):x}"  # noqa: S311 - no secret
        self._actions = 0

    async def load(self) -> None:
        """Open the room and write the first line."""
        await self._greet()
        await self._do(self._page.connect, {})
        await self._write_line()

    async def begin(self) -> None:
        """Begin a scene and write its first line, which can also be done without opening."""
        await self._greet()
        await self._write_line()

    async def _greet(self) -> None:
        await self._do(self._page.hello, {"run": self.session, "journal": None, "acted": 0})

    async def _write_line(self) -> None:
        line = {"deed": "write", "speaker": "DOT", "text": "It is ringing, and nobody picks up."}
        await self._do(self._page.act, self._number(line))

    async def _do(self, handler: tuple[int, list[Any]], event: dict[str, Any]) -> None:
        async with aclosing(self.call(*handler, event)) as messages:
            async for _ in messages:
                pass

    def _number(self, action: dict[str, Any]) -> dict[str, Any]:
        self._actions += 1
        return {"run": self.session, "number": self._actions, "seen": 0, **action}

    async def proceed(self, lines: int, leave: int = 0) -> ContinuationTiming:
        """Click Continue and read the updates.

        Args:
            lines: Lines of the continuation.
            leave: Close the tab after this many lines; 0 to stay.
        """
        timing = ContinuationTiming()
        clicked = last = time.monotonic()
        try:
            async with aclosing(
                self.call(*self._page.proceed, self._number({"deed": "proceed"}))
            ) as messages:
                async for text in messages:
                    now = time.monotonic()
                    if '"msg":"process_completed"' in text:
                        timing.error = "" if '"success":true' in text else text[:300]
                    if '"msg":"process_generating"' not in text:
                        continue
                    timing.gaps.append(now - last)
                    last = now
                    for asked, ended in LINE.findall(text):
                        if timing.added is None and float(asked) > clicked:
                            timing.added = now - clicked - (float(ended) - float(asked))
                    timing.lines.update(re.findall(r"n\d+\.(?= w)", text))
                    if leave and len(timing.lines) >= leave:
                        return timing
        except httpx.HTTPError as error:
            timing.error = f"{type(error).__name__}: {error}"
        # All lines but the first are numbered.
        if not timing.error and (timing.added is None or len(timing.lines) < lines - 1):
            timing.error = f"only {len(timing.lines)} of {lines - 1} lines came"
        return timing

    async def call(
        self, function: int, data: list[Any], event: dict[str, Any]
    ) -> AsyncGenerator[str]:
        """Trigger an event; yield the lines of the answer."""
        join = {"data": data, "fn_index": function, "session_hash": self.session}
        join |= {"event_data": event}
        answer = await self._client.post(f"{self._page.url}/gradio_api/queue/join", json=join)
        answer.raise_for_status()
        events = f"{self._page.url}/gradio_api/queue/data?session_hash={self.session}"
        async with self._client.stream("GET", events) as stream:
            async for text in stream.aiter_lines():
                if '"msg":"close_stream"' in text:
                    return
                yield text
