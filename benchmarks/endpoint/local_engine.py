"""Tokens per second of a running server with one and several streams, and its health latency.

    python -m serve &
    python -m benchmarks.endpoint.local_engine --model unclaimed

Each stream sends its next request as soon as it has an answer, so the number of concurrent
requests is constant. Tokens are counted by the server's own usage figures.
"""

import asyncio
import os
import time
from statistics import median
from typing import Annotated

import typer

from nothing_gpt.errors import UserError, reported_errors

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

# About the length of a real request: a system message and five lines.
_PROMPT = "[DOT] I have counted the umbrellas twice, and both times there was one too many.\n" * 12


@app.command()
def main(
    model: Annotated[str, typer.Option(help="Which of the served models.")],
    base_url: Annotated[str, typer.Option(help="The server.")] = "http://127.0.0.1:8000/v1",
    streams: Annotated[list[int] | None, typer.Option(help="How many at once: 1 and 8.")] = None,
    tokens: Annotated[int, typer.Option(help="Tokens that each request asks for.")] = 256,
    seconds: Annotated[float, typer.Option(help="How long new requests are sent.")] = 15,
) -> None:
    """Print tokens per second, time to the first token, and time of a health check."""
    from openai import OpenAIError

    print("streams  tokens/s  first token, median ms  health, median and slowest ms")
    for count in streams or [1, 8]:
        try:
            speed, waits, checks = asyncio.run(_measure(base_url, model, count, tokens, seconds))
        except OpenAIError as error:
            raise UserError(f"{base_url}: {error}") from None
        first, health, slowest = median(waits) * 1000, median(checks) * 1000, max(checks) * 1000
        print(f"{count:7}  {speed:8.0f}  {first:22.0f}  {health:17.1f} {slowest:11.1f}")


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
