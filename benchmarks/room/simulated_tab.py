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
    load: tuple[int, list[Any]]
    add_line: tuple[int, list[Any]]
    proceed: tuple[int, list[Any]]


def read_page(url: str, lines: int) -> Page:
    """Read the room's configuration; find three handlers and the values of their fields.

    Handlers are found by what triggers them. Two of them follow an event that the browser handles
    itself: it moves the new line to a hidden field.
    """
    config = httpx.get(f"{url}/config").json()
    components = {each["id"]: each for each in config["components"]}
    filled = {"Model": "paced", "Lines to write": lines, "Who": "DOT", "Seed": None}

    def find_event(name: str, **props: str) -> dict[str, Any]:
        def matches(target: list[Any]) -> bool:
            found = components.get(target[0], {}).get("props", {})
            return bool(target[1] == name and props.items() <= found.items())

        return next(d for d in config["dependencies"] if any(map(matches, d["targets"])))

    def find_next(event: dict[str, Any]) -> dict[str, Any]:
        return next(d for d in config["dependencies"] if d["trigger_after"] == event["id"])

    def fill(event: dict[str, Any], line: dict[int, str] | None = None) -> tuple[int, list[Any]]:
        data = []
        for number in event["inputs"]:
            kind, props = components[number]["type"], components[number]["props"]
            value = props.get("value")
            value = ("" if kind == "textbox" else None) if value is None else value
            data.append((line or {}).get(number, filled.get(props.get("label"), value)))
        return event["id"], data

    submit = find_event("submit", label="New line")
    hidden = submit["outputs"][1]
    return Page(
        url,
        load=fill(find_event("load")),
        add_line=fill(find_next(submit), {hidden: "It is ringing, and nobody picks it up."}),
        proceed=fill(find_next(find_event("click", value="Continue"))),
    )


class SimulatedTab:
    """Browser tab with the room open."""

    def __init__(self, client: httpx.AsyncClient, page: Page) -> None:
        self._client = client
        self._page = page
        self._session = f"{Random().getrandbits(64):x}"  # noqa: S311 - no secret

    async def load(self) -> None:
        """Open the room and write the first line."""
        for handler in (self._page.load, self._page.add_line):
            async with aclosing(self._call(*handler)) as messages:
                async for _ in messages:
                    pass

    async def proceed(self, lines: int, leave: int = 0) -> ContinuationTiming:
        """Click Continue and read the updates.

        Args:
            lines: Lines of the continuation.
            leave: Close the tab after this many lines; 0 to stay.
        """
        timing = ContinuationTiming()
        clicked = last = time.monotonic()
        try:
            async with aclosing(self._call(*self._page.proceed)) as messages:
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

    async def _call(self, function: int, data: list[Any]) -> AsyncGenerator[str]:
        join = {"data": data, "fn_index": function, "session_hash": self._session}
        answer = await self._client.post(f"{self._page.url}/gradio_api/queue/join", json=join)
        answer.raise_for_status()
        events = f"{self._page.url}/gradio_api/queue/data?session_hash={self._session}"
        async with self._client.stream("GET", events) as stream:
            async for text in stream.aiter_lines():
                if '"msg":"close_stream"' in text:
                    return
                yield text
