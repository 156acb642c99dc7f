"""Many people in the room at once: what the room adds to the server's time to the first line.

`python -m benchmarks.room.room_load` starts an endpoint that writes 40 tokens/s for each request
and the room, each a process of its own, and speaks Gradio's own queue protocol as a browser does.
The endpoint writes into its first line when it was asked and when it had written it; what lies
between a click and the line's arrival beyond that, the room has added.
"""

import argparse
import asyncio
import json
import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

LINE = re.compile(r"asked=(\d+\.\d+)[ w\d]* ended=(\d+\.\d+)")
RATE = 40.0
"""Tokens a second of each stream."""


@dataclass
class SimulatedVisit:
    """What one continuation was like; seconds."""

    added: float | None = None
    gaps: list[float] = field(default_factory=list)
    lines: set[str] = field(default_factory=set)
    error: str = ""


@dataclass(frozen=True)
class Page:
    """What a browser knows of the room once it has loaded it: its handlers, and its fields."""

    url: str
    arrive: tuple[int, list[Any]]
    write: tuple[int, list[Any]]
    proceed: tuple[int, list[Any]]


def read_page(url: str, lines: int) -> Page:
    """Find the handlers behind arriving and Continue, and what their fields hold by then."""
    config = httpx.get(f"{url}/config").json()
    parts = {part["id"]: part for part in config["components"]}
    filled = {"Model": "paced", "Lines to write": lines, "Who": "DOT", "Seed": None}

    def find(name: str) -> tuple[int, list[Any]]:
        dependency = next(d for d in config["dependencies"] if d["api_name"] == name)
        data = []
        for number in dependency["inputs"]:
            kind, props = parts[number]["type"], parts[number]["props"]
            value = props.get("value")
            value = ("" if kind == "textbox" else None) if value is None else value
            data.append(filled.get(props.get("label"), value))
        return dependency["id"], data

    write, data = find("write")
    first = [*data[:-1], "It is ringing, and nobody picks it up."]
    return Page(url, find("arrive"), (write, first), find("proceed"))


class SimulatedTab:
    """A browser's tab with the room in it."""

    def __init__(self, client: httpx.AsyncClient, page: Page) -> None:
        self._client = client
        self._page = page
        self._session = f"{Random().getrandbits(64):x}"  # noqa: S311 - no secret

    async def load(self) -> None:
        """Open the room, and write the first line."""
        for handler in (self._page.arrive, self._page.write):
            async with aclosing(self._call(*handler)) as messages:
                async for _ in messages:
                    pass

    async def proceed(self, lines: int, leave: int = 0) -> SimulatedVisit:
        """Click Continue, and read what comes.

        Args:
            leave: Close the tab after so many lines; 0 to stay.
        """
        seen = SimulatedVisit()
        clicked = last = time.monotonic()
        try:
            async with aclosing(self._call(*self._page.proceed)) as messages:
                async for text in messages:
                    now = time.monotonic()
                    if '"msg":"process_completed"' in text:
                        seen.error = "" if '"success":true' in text else text[:300]
                    if '"msg":"process_generating"' not in text:
                        continue
                    seen.gaps.append(now - last)
                    last = now
                    for asked, ended in LINE.findall(text):
                        if seen.added is None and float(asked) > clicked:
                            seen.added = now - clicked - (float(ended) - float(asked))
                    seen.lines.update(re.findall(r"n\d+\.(?= w)", text))
                    if leave and len(seen.lines) >= leave:
                        return seen
        except httpx.HTTPError as error:
            seen.error = f"{type(error).__name__}: {error}"
        # The endpoint's scene has no end: the first line is not numbered, the others are.
        if not seen.error and (seen.added is None or len(seen.lines) < lines - 1):
            seen.error = f"only {len(seen.lines)} of {lines - 1} lines came"
        return seen

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


async def crowd(
    page: Page, people: int, rounds: int, lines: int, spread: float
) -> list[SimulatedVisit]:
    """Let people click within `spread` seconds, and again whenever they have their lines."""
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(limits=limits, timeout=120) as client:

        async def person(number: int) -> list[SimulatedVisit]:
            tab = SimulatedTab(client, page)
            await tab.load()
            await asyncio.sleep(spread * number / people)
            return [await tab.proceed(lines) for _ in range(rounds)]

        return [each for of in await asyncio.gather(*map(person, range(people))) for each in of]


async def leave(page: Page, server: str) -> float:
    """Close a tab in the middle; give the seconds until the server's client had gone."""
    async with httpx.AsyncClient(timeout=60) as client:
        before = set((await client.get(f"{server}/seen")).json())
        tab = SimulatedTab(client, page)
        await tab.load()
        await tab.proceed(99, leave=2)
    left = time.monotonic()
    async with httpx.AsyncClient() as client:
        while True:
            seen: dict[str, dict[str, float]] = (await client.get(f"{server}/seen")).json()
            (new,) = [each for seed, each in seen.items() if seed not in before]
            if "gone" in new:
                return new["gone"] - left
            if time.monotonic() - left > 30:
                return float("inf")
            await asyncio.sleep(0.02)


@contextmanager
def running(*arguments: str, ready: str) -> Iterator[None]:
    """Run a module until the block ends; it is ready when its address answers."""
    process = subprocess.Popen([sys.executable, "-m", *arguments], stdout=subprocess.DEVNULL)
    try:
        for _ in range(600):
            if process.poll() is not None:
                raise SystemExit(f"{arguments[0]} ended by itself")
            try:
                httpx.get(ready)
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    """Find a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def summarize(name: str, visits: list[SimulatedVisit]) -> dict[str, Any]:
    """Say how a crowd fared."""
    added = sorted(each.added for each in visits if each.added is not None)
    gaps = [gap for each in visits for gap in each.gaps[1:]]
    return {
        "who": name,
        "continuations": len(visits),
        "errors": [each.error for each in visits if each.error],
        "added median s": round(statistics.median(added), 3) if added else None,
        "added p95 s": round(added[int(0.95 * (len(added) - 1))], 3) if added else None,
        "longest stillness s": round(max(gaps), 3) if gaps else None,
        "updates a second each": round(1 / statistics.mean(gaps), 1) if gaps else None,
    }


def measure(people: int, rounds: int, lines: int, spread: float) -> list[dict[str, Any]]:
    """Start everything, and let one person in, then many, then one who leaves."""
    paced, port = free_port(), free_port()
    server, url = f"http://127.0.0.1:{paced}", f"http://127.0.0.1:{port}"
    room = ("demo", "--base-url", f"{server}/v1", "--model", "paced", "--port", str(port))
    with (
        running("benchmarks.room.paced_endpoint", str(paced), str(RATE), ready=f"{server}/seen"),
        running(*room, ready=f"{url}/config"),
    ):
        page = read_page(url, lines)
        alone = asyncio.run(crowd(page, 1, 3 * rounds, lines, 0))
        many = asyncio.run(crowd(page, people, rounds, lines, spread))
        gone = asyncio.run(leave(page, server))
    closed = {"who": "a closed tab", "generation stopped after s": round(gone, 3)}
    return [summarize("alone", alone), summarize(f"{people} at once", many), closed]


def main() -> None:
    """Read the command line, measure, and print a line of JSON for each figure."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.room.room_load", description=__doc__
    )
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3, help="continuations of each")
    parser.add_argument("--lines", type=int, default=20, help="lines of a continuation")
    parser.add_argument("--spread", type=float, default=5.0, help="seconds until all have clicked")
    options = parser.parse_args()
    for figure in measure(options.people, options.rounds, options.lines, options.spread):
        print(json.dumps(figure, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
