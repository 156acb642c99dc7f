"""Latency that the room adds to the first line when many people use it at the same time.

    python -m benchmarks.room.room_load

This starts the room and an endpoint that writes 40 tokens/s for each request, each in a process of
its own. Simulated browsers speak Gradio's queue protocol. The endpoint's first line holds the time
of the request and the time at which the line was sent. The added latency is the time from a click
to the line's arrival, minus the endpoint's own time.
"""

import argparse
import asyncio
import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from benchmarks.room.simulated_tab import ContinuationTiming, Page, SimulatedTab, read_page

RATE = 40.0
"""Tokens per second of each stream."""


async def crowd(
    page: Page, people: int, rounds: int, lines: int, spread: float
) -> list[ContinuationTiming]:
    """Simulate people who click within `spread` seconds, and again after each continuation."""
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(limits=limits, timeout=120) as client:

        async def person(number: int) -> list[ContinuationTiming]:
            tab = SimulatedTab(client, page)
            await tab.load()
            await asyncio.sleep(spread * number / people)
            return [await tab.proceed(lines) for _ in range(rounds)]

        return [
            each
            for timings in await asyncio.gather(*map(person, range(people)))
            for each in timings
        ]


async def close_tab(page: Page, server: str) -> float:
    """Close a tab during generation; return the seconds until the endpoint saw a disconnect."""
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
    """Run a module until the block ends; enter the block when its address answers."""
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


@contextmanager
def running_room() -> Iterator[tuple[str, str]]:
    """Run the paced endpoint and the room; yield their addresses when both answer."""
    paced, port = free_port(), free_port()
    server, url = f"http://127.0.0.1:{paced}", f"http://127.0.0.1:{port}"
    room = ("demo", "--base-url", f"{server}/v1", "--model", "paced", "--port", str(port))
    with (
        running("benchmarks.room.paced_endpoint", str(paced), str(RATE), ready=f"{server}/seen"),
        running(*room, ready=f"{url}/config"),
    ):
        yield server, url


def summarize(name: str, timings: list[ContinuationTiming]) -> dict[str, Any]:
    """Summarise the continuations of some people."""
    added = sorted(each.added for each in timings if each.added is not None)
    gaps = [gap for each in timings for gap in each.gaps[1:]]
    return {
        "who": name,
        "continuations": len(timings),
        "errors": [each.error for each in timings if each.error],
        "added median s": round(statistics.median(added), 3) if added else None,
        "added p95 s": round(added[int(0.95 * (len(added) - 1))], 3) if added else None,
        "longest stillness s": round(max(gaps), 3) if gaps else None,
        "updates a second each": round(1 / statistics.mean(gaps), 1) if gaps else None,
    }


def measure(people: int, rounds: int, lines: int, spread: float) -> list[dict[str, Any]]:
    """Start both processes; measure one person, then many, then one who closes the tab."""
    with running_room() as (server, url):
        page = read_page(url, lines)
        alone = asyncio.run(crowd(page, 1, 3 * rounds, lines, 0))
        many = asyncio.run(crowd(page, people, rounds, lines, spread))
        gone = asyncio.run(close_tab(page, server))
    closed = {"who": "a closed tab", "generation stopped after s": round(gone, 3)}
    return [summarize("alone", alone), summarize(f"{people} at once", many), closed]


def main() -> None:
    """Measure as the command line asks, and print one line of JSON for each figure."""
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
