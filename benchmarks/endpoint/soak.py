"""Soak test of a running server with mixed clients: errors, health latency and memory.

    python -m serve & echo $!
    python -m benchmarks.endpoint.soak --model unclaimed --process PID --minutes 60

The kinds of clients are equally frequent: streams, whole completions, streams that the client
leaves early, and bad requests. Each kind has an expected answer. Any other answer is an error, and
the program then ends with exit code 1.
"""

import asyncio
import os
import random
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from nothing_gpt.errors import UserError, reported_errors

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_LINES = (
    "[DOT] I have counted the umbrellas twice.",
    "[GUS] And both times there was one too many.",
    "[DOT] Whose is the yellow one?",
)
_BAD: tuple[tuple[dict[str, Any], int], ...] = (
    ({"temperature": 9}, 400),
    ({"messages": "porridge"}, 400),
    ({"model": "nobody"}, 404),
    ({"max_tokens": 10**9}, 400),
    ({"structured_outputs": {"regex": "(["}}, 400),
)


class _Soak:
    def __init__(self, client: httpx.AsyncClient, model: str, draw: random.Random) -> None:
        self._client, self._model, self._draw = client, model, draw
        self.requests: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.tokens = 0
        self.health: list[float] = []
        self._kinds = {"stream": self._stream, "whole": self._whole, "left": self._left}
        self._kinds["bad"] = self._refused

    async def send_request(self) -> None:
        """Act as one client of a random kind."""
        kind = self._draw.choice([*self._kinds])
        self.requests[kind] += 1
        try:
            problem = await self._kinds[kind]()
        except httpx.HTTPError as error:
            problem = type(error).__name__
        if problem:
            self.errors[f"{kind}: {problem}"] += 1

    async def check_health(self) -> None:
        """Check the server's health and record how long that takes."""
        started = time.perf_counter()
        try:
            answer = await self._client.get("/health")
        except httpx.HTTPError as error:
            self.errors[f"health: {type(error).__name__}"] += 1
            return
        self.health.append(time.perf_counter() - started)
        if answer.status_code != 200:
            self.errors[f"health: {answer.status_code}"] += 1

    def _body(self, **more: Any) -> dict[str, Any]:
        lines = self._draw.choices(_LINES, k=self._draw.randint(1, 20))
        messages = [{"role": "user", "content": "\n".join(lines)}]
        return {"model": self._model, "messages": messages, "max_tokens": 64, **more}

    async def _whole(self) -> str:
        answer = await self._client.post("/v1/chat/completions", json=self._body())
        if answer.status_code != 200:
            return str(answer.status_code)
        self.tokens += answer.json()["usage"]["completion_tokens"]
        return ""

    async def _stream(self, lines: int | None = None) -> str:
        body = self._body(stream=True)
        async with self._client.stream("POST", "/v1/chat/completions", json=body) as answer:
            if answer.status_code != 200:
                return str(answer.status_code)
            seen, last = 0, ""
            async for line in answer.aiter_lines():
                last = line or last
                seen += line.startswith("data: {")
                if seen == lines:
                    return ""
        self.tokens += seen - 1
        return "" if last == "data: [DONE]" else "a stream without an end"

    async def _left(self) -> str:
        return await self._stream(self._draw.randint(1, 20))

    async def _refused(self) -> str:
        change, expected = self._draw.choice(_BAD)
        answer = await self._client.post("/v1/chat/completions", json=self._body(**change))
        right = answer.status_code == expected and set(answer.json()) == {"error"}
        return "" if right else f"{change} was answered {answer.status_code}"


def _read_memory(process: int) -> float:
    """Return the resident memory of a process and its children, shared pages included."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    own = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    return own / 1024 + sum(_read_memory(int(child)) for child in children)


@app.command()
def main(
    model: Annotated[str, typer.Option(help="Which of the served models.")],
    process: Annotated[
        int, typer.Option(help="The server's process, whose memory is read, its children's too.")
    ],
    url: Annotated[str, typer.Option(help="The server.")] = "http://127.0.0.1:8000",
    minutes: Annotated[float, typer.Option(help="How long.")] = 60,
    rate: Annotated[float, typer.Option(help="New requests per second, on average.")] = 1,
    interval: Annotated[float, typer.Option(help="Seconds between two reports.")] = 60,
) -> None:
    """Print requests, errors, the slowest health check and memory, every minute and at the end.

    The server's key, if it needs one, is read from OPENAI_API_KEY.
    """
    key = os.environ.get("OPENAI_API_KEY", "none")
    try:
        soak = asyncio.run(_run(url, model, process, minutes * 60, rate, interval, key))
    except OSError as error:
        raise UserError(f"process {process}: {error.strerror}; is the server running?") from None
    for problem, count in soak.errors.most_common():
        print(f"{count} x {problem}")
    raise typer.Exit(int(bool(soak.errors)))


async def _run(
    url: str, model: str, process: int, seconds: float, rate: float, interval: float, key: str
) -> _Soak:
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
        draw = random.Random(0)  # noqa: S311
        soak = _Soak(client, model, draw)
        print("minute  requests  errors  tokens  slowest health ms  memory MB", flush=True)
        started, last, clients = time.monotonic(), 0.0, set[asyncio.Task[None]]()
        _report(soak, 0, process)
        while (now := time.monotonic() - started) < seconds:
            clients.add(asyncio.create_task(soak.send_request()))
            clients = {client for client in clients if not client.done()}
            if now - last >= interval:
                await soak.check_health()
                _report(soak, now, process)
                last = now
            await asyncio.sleep(draw.expovariate(rate))
        await asyncio.gather(*clients)
        await soak.check_health()
        _report(soak, time.monotonic() - started, process)
        print(", ".join(f"{count} {kind}" for kind, count in sorted(soak.requests.items())))
        return soak


def _report(soak: _Soak, seconds: float, process: int) -> None:
    slowest = max(soak.health, default=0) * 1000
    soak.health.clear()
    asked, errors = soak.requests.total(), soak.errors.total()
    print(
        f"{seconds / 60:6.1f}  {asked:8}  {errors:6}  {soak.tokens:6}  {slowest:17.0f}"
        f"  {_read_memory(process):9.1f}",
        flush=True,
    )


if __name__ == "__main__":
    with reported_errors():
        app()
