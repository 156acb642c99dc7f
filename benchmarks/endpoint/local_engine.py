"""Speed of a running server: the first line of a scene, tokens per second, its health latency.

    python -m serve &
    python -m benchmarks.endpoint.local_engine --model unclaimed

The first line is that of a scene of twelve with the cast lock, as the room asks for it; the figure
is the median of three openings. Then each stream sends its next request as soon as it has an
answer, so the number of concurrent requests is constant; tokens are counted by the server's own
usage figures.
"""

import asyncio
import os
import time
from statistics import median
from typing import Annotated

import typer

from benchmarks.endpoint.cast_lock import find_show, make_body
from nothing_gpt.cast_lock import CastLock
from nothing_gpt.errors import UserError, reported_errors

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

# About the length of a real request: a system message and five lines.
_PROMPT = "[DOT] I have counted the umbrellas twice, and both times there was one too many.\n" * 12

_LINES = 12


@app.command()
def main(
    model: Annotated[str, typer.Option(help="Which of the served models.")],
    base_url: Annotated[str, typer.Option(help="The server.")] = "http://127.0.0.1:8000/v1",
    streams: Annotated[list[int] | None, typer.Option(help="How many at once: 1 and 8.")] = None,
    tokens: Annotated[int, typer.Option(help="Tokens that each request asks for.")] = 256,
    seconds: Annotated[float, typer.Option(help="How long new requests are sent.")] = 15,
) -> None:
    """Print the time of a first line, tokens per second, and the time of a health check."""
    from openai import OpenAIError

    try:
        print(f"first line of {_LINES}: {asyncio.run(_time_first_line(base_url, model)):.2f} s")
    except OpenAIError as error:
        raise UserError(f"{base_url}: {error}") from None
    print("streams  tokens/s  first token, median ms  health, median and slowest ms")
    for count in streams or [1, 8]:
        try:
            speed, waits, checks = asyncio.run(_measure(base_url, model, count, tokens, seconds))
        except OpenAIError as error:
            raise UserError(f"{base_url}: {error}") from None
        first, health, slowest = median(waits) * 1000, median(checks) * 1000, max(checks) * 1000
        print(f"{count:7}  {speed:8.0f}  {first:22.0f}  {health:17.1f} {slowest:11.1f}")


async def _time_first_line(base_url: str, model: str) -> float:
    """Return the median seconds from a request for a scene to its first whole line."""
    from openai import AsyncOpenAI

    key = os.environ.get("OPENAI_API_KEY", "none")
    async with AsyncOpenAI(base_url=base_url, api_key=key) as client:
        show = await find_show(client, model)
        lock = CastLock(show.names, _LINES)
        times = []
        for turn in range(4):
            started, text = time.perf_counter(), ""
            stream = await client.chat.completions.create(
                **make_body(model, show, turn), stream=True, extra_body=lock.as_extra_body()
            )
            async for chunk in stream:
                text += chunk.choices[0].delta.content or "" if chunk.choices else ""
                if "\n" in text:
                    break
            await stream.close()
            times.append(time.perf_counter() - started)
    return median(times[1:])  # the first request triggers lazy set-up


async def _measure(
    base_url: str, model: str, streams: int, tokens: int, seconds: float
) -> tuple[float, list[float], list[float]]:
    import httpx
    from openai import AsyncOpenAI

    waits: list[float] = []
    checks: list[float] = []

    async def ask(client: AsyncOpenAI, seed: int) -> int:
        started, first, made = time.perf_counter(), True, 0
        stream = await client.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": _PROMPT}],
            max_tokens=tokens,
            seed=seed,
            stream=True,
            stream_options={"include_usage": True},
        )
        async for chunk in stream:
            if first and chunk.choices and chunk.choices[0].delta.content:
                waits.append(time.perf_counter() - started)
                first = False
            made = chunk.usage.completion_tokens if chunk.usage else made
        return made

    async def keep_asking(client: AsyncOpenAI, stream: int, end: float) -> int:
        made = turn = 0
        while time.perf_counter() < end:
            made += await ask(client, 1000 * stream + turn)
            turn += 1
        return made

    async def check(end: float) -> None:
        async with httpx.AsyncClient() as client:
            while time.perf_counter() < end:
                started = time.perf_counter()
                await client.get(f"{base_url.removesuffix('/v1')}/health")
                checks.append(time.perf_counter() - started)
                await asyncio.sleep(0.1)

    key = os.environ.get("OPENAI_API_KEY", "none")
    async with AsyncOpenAI(base_url=base_url, api_key=key) as client:
        await ask(client, 0)  # the first request triggers lazy set-up
        waits.clear()
        started = time.perf_counter()
        end = started + seconds
        checking = asyncio.create_task(check(end))
        counts = await asyncio.gather(
            *(keep_asking(client, stream, end) for stream in range(streams))
        )
        took = time.perf_counter() - started
        await checking
        return sum(counts) / took, waits, checks


if __name__ == "__main__":
    with reported_errors():
        app()
