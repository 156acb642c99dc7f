"""What the gateway adds to each event of a stream: python -m benchmarks.endpoint.gateway_overhead.

An engine that only sends is asked through the gateway and without it, in this process. The time is
the processor's, so that other processes do not count.
"""

import asyncio
import json
import time
from statistics import median
from typing import Annotated

import typer

from nothing_gpt.errors import reported_errors
from serve.middleware.asgi import App, AsgiMessage, Receive, Scope, Send
from serve.middleware.gateway import Gateway
from serve.middleware.gateway_settings import GatewaySettings

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_BODY = json.dumps({"model": "base", "messages": [], "stream": True}).encode()
_SCOPE: Scope = {
    "type": "http",
    "method": "POST",
    "path": "/v1/chat/completions",
    "headers": [(b"content-type", b"application/json")],
}


def _make_engine(events: int) -> App:
    choice = {
        "index": 0,
        "delta": {"content": "porridge"},
        "logprobs": None,
        "finish_reason": None,
    }
    data = {"id": f"chatcmpl-{'0' * 32}", "created": 1, "model": "base", "choices": [choice]}
    event = f"data: {json.dumps(data)}\n\n".encode()

    async def engine(_scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for _ in range(events):
            await send({"type": "http.response.body", "body": event, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return engine


def _measure(application: App) -> float:
    """Return the processor's seconds of a stream."""

    async def receive() -> AsgiMessage:
        return {"type": "http.request", "body": _BODY}

    async def send(_message: AsgiMessage) -> None:
        pass

    async def run() -> float:
        started = time.process_time()
        await application(dict(_SCOPE), receive, send)
        return time.process_time() - started

    return asyncio.run(run())


@app.command()
def main(
    events: Annotated[int, typer.Option(help="Events of a stream.")] = 20_000,
    rounds: Annotated[int, typer.Option(help="Streams with and without the gateway.")] = 5,
) -> None:
    """Print the microseconds that the gateway adds to an event: the median of some rounds."""
    engine = _make_engine(events)
    gateway = Gateway(engine, GatewaySettings("base", "base", None, {}, 8))
    added = [(_measure(gateway) - _measure(engine)) / events * 1e6 for _ in range(rounds)]
    print(f"{median(added):.2f} us an event")


if __name__ == "__main__":
    with reported_errors():
        app()
