"""Soak test of a running server with mixed clients: errors, health latency and memory.

    python -m serve & echo $!
    python -m benchmarks.endpoint.soak --model unclaimed --process PID --state soak.json

The kinds of clients are equally frequent: streams, whole completions, several choices, the cast
lock, JSON by a schema, scored texts, streams that the client leaves early, and bad requests. Each
kind has an expected answer. Any other answer is an error, and the program then ends with exit code
1. With --state, the next run goes on where the last one ended or was stopped.
"""

import asyncio
import json
import os
import random
import time
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from benchmarks.endpoint.mixed_clients import MixedClients
from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.files import write_text

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


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
    state: Annotated[
        Path | None, typer.Option(help="File to go on from, written at each report.")
    ] = None,
) -> None:
    """Print requests, errors, the slowest health check and memory, every minute and at the end.

    The server's key, if it needs one, is read from OPENAI_API_KEY.
    """
    key = os.environ.get("OPENAI_API_KEY", "none")
    try:
        before = json.loads(state.read_text("utf-8")) if state and state.exists() else {}
        journal = _Journal(process, state, before.get("seconds", 0.0))
        soak = asyncio.run(_run(url, model, journal, minutes * 60, rate, interval, key, before))
    except OSError as error:
        raise UserError(f"process {process}: {error.strerror}; is the server running?") from None
    for problem, count in soak.errors.most_common():
        print(f"{count} x {problem}")
    raise typer.Exit(int(bool(soak.errors)))


class _Journal:
    """Prints a line for each report, and keeps the figures for the next run.

    Args:
        process: The server's process.
        state: The file of the figures; None to keep nothing.
        before: Seconds of earlier runs.
    """

    def __init__(self, process: int, state: Path | None, before: float) -> None:
        self._process, self._state, self._before = process, state, before
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long all runs have taken."""
        return self._before + time.monotonic() - self._started

    def report(self, soak: MixedClients) -> None:
        """Write the figures so far."""
        slowest = max(soak.health, default=0) * 1000
        soak.health.clear()
        asked, errors = soak.requests.total(), soak.errors.total()
        print(
            f"{self.seconds / 60:6.1f}  {asked:8}  {errors:6}  {soak.tokens:6}  {slowest:17.0f}"
            f"  {_read_memory(self._process):9.1f}",
            flush=True,
        )
        if self._state is not None:
            counts = {"requests": soak.requests, "errors": soak.errors, "tokens": soak.tokens}
            write_text(self._state, json.dumps({"seconds": self.seconds, **counts}))


async def _run(
    url: str,
    model: str,
    journal: _Journal,
    seconds: float,
    rate: float,
    interval: float,
    key: str,
    before: dict[str, Any],
) -> MixedClients:
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=300) as client:
        draw = random.Random(journal.seconds)  # noqa: S311
        soak = MixedClients(client, model, draw, before)
        print("minute  requests  errors  tokens  slowest health ms  memory MB", flush=True)
        last, clients = journal.seconds, set[asyncio.Task[None]]()
        journal.report(soak)
        while (now := journal.seconds) < seconds:
            clients.add(asyncio.create_task(soak.send_request()))
            clients = {client for client in clients if not client.done()}
            if now - last >= interval:
                await soak.check_health()
                journal.report(soak)
                last = now
            await asyncio.sleep(draw.expovariate(rate))
        await asyncio.gather(*clients)
        await soak.check_health()
        journal.report(soak)
        print(", ".join(f"{count} {kind}" for kind, count in sorted(soak.requests.items())))
        return soak


if __name__ == "__main__":
    with reported_errors():
        app()
