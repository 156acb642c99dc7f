"""Load of streaming completion requests from several client processes.

One asyncio loop in Python reads about 15,000 chunks per second, and a tuned server sends more. So
several processes share the streams, and the client does not limit what is measured.
"""

import asyncio
import json
import random
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

PROCESSES = 6


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """Load on a server: `streams` concurrent clients, each with `rounds` requests in turn.

    Prompts are random token ids, so no two share a prefix. Temperature 1 samples from the whole
    vocabulary; greedy decoding would be slightly cheaper.
    """

    url: str
    model: str
    streams: int
    rounds: int
    tokens: int
    prompt: int = 300
    options: dict[str, Any] = field(default_factory=dict)
    seed: int = 0


@dataclass(frozen=True, slots=True)
class LoadResult:
    """One answer: its times in seconds on the machine's monotonic clock, and its tokens."""

    asked: float
    first: float
    ended: float
    tokens: int


@contextmanager
def clients() -> Iterator[Executor]:
    """Run client processes that have done their imports."""
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        # Each waits until the same moment, so no process can take the job of another one.
        start = time.monotonic() + 4.0
        for future in [pool.submit(_prepare, start) for _ in range(PROCESSES)]:
            future.result()
        yield pool


def run(load: LoadSettings, pool: Executor) -> list[LoadResult]:
    """Send a load with all streams starting at once; return the answers in any order.

    Raises:
        RuntimeError: The server refused a request.
    """
    count = min(PROCESSES, load.streams)
    shares = [range(i, load.streams, count) for i in range(count)]
    start = time.monotonic() + 0.3
    futures = [pool.submit(_run_share, load, share, start) for share in shares]
    return [answer for future in futures for answer in future.result()]


def summarise(answers: list[LoadResult]) -> dict[str, float]:
    """Return the total tokens per second, and the milliseconds to the first token."""
    started = min(answer.asked for answer in answers)
    ended = max(answer.ended for answer in answers)
    waits = sorted(1000 * (answer.first - answer.asked) for answer in answers)
    return {
        "tokens_per_second": sum(answer.tokens for answer in answers) / (ended - started),
        "first_token_median_ms": waits[len(waits) // 2],
        "first_token_most_ms": waits[-1],
        "tokens": float(sum(answer.tokens for answer in answers)),
    }


def _prepare(start: float) -> None:
    import aiohttp  # noqa: F401

    time.sleep(max(0.0, start - time.monotonic()))


def _run_share(load: LoadSettings, streams: range, start: float) -> list[LoadResult]:
    return asyncio.run(_ask_all(load, streams, start))


async def _ask_all(load: LoadSettings, streams: range, start: float) -> list[LoadResult]:
    import aiohttp

    async def keep_asking(client: aiohttp.ClientSession, stream: int) -> list[LoadResult]:
        draw = random.Random(f"{load.seed}-{stream}")  # noqa: S311
        return [await _ask(client, load, draw) for _ in range(load.rounds)]

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as client:
        await asyncio.sleep(max(0.0, start - time.monotonic()))
        found = await asyncio.gather(*(keep_asking(client, stream) for stream in streams))
    return [answer for answers in found for answer in answers]


async def _ask(client: Any, load: LoadSettings, draw: random.Random) -> LoadResult:
    body = {
        "model": load.model,
        "prompt": [draw.randrange(1000, 120_000) for _ in range(load.prompt)],
        "max_tokens": load.tokens,
        "temperature": 1.0,
        "ignore_eos": True,
        "stream": True,
        "stream_options": {"include_usage": True},
        **load.options,
    }
    asked, first, tail = time.monotonic(), 0.0, b""
    async with client.post(f"{load.url}/v1/completions", json=body) as response:
        if response.status != 200:
            raise RuntimeError(f"{response.status}: {(await response.text())[:500]}")
        async for chunk in response.content.iter_any():
            first = first or time.monotonic()
            tail = (tail + chunk)[-4096:]
    return LoadResult(asked, first, time.monotonic(), _count_tokens(tail))


def _count_tokens(tail: bytes) -> int:
    """Read the usage from the stream's last event before `[DONE]`."""
    events = [line for line in tail.split(b"\n") if line.startswith(b"data: {")]
    if not events or b'"usage"' not in events[-1]:
        raise RuntimeError(f"a stream ended early: {tail[-300:]!r}")
    return int(json.loads(events[-1][len(b"data: ") :])["usage"]["completion_tokens"])
