"""A sleeping server, such as one on Modal: first 503, then redirects, then a stream."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.generation.client import ModelClient
from nothing_gpt.line import Line
from nothing_gpt.records import encode
from nothing_gpt.show import load_show
from tests.fake_endpoint import FakeEndpoint, Script, fake_endpoint

ROOT = Path(__file__).parents[3]


@pytest.fixture
def sleeping() -> Iterator[FakeEndpoint]:
    with fake_endpoint(Script(awake_at=time.monotonic() + 5, redirects=3)) as server:
        yield server


def test_it_is_called_until_it_streams(sleeping: FakeEndpoint) -> None:
    async def call() -> tuple[list[float], list[str], list[Line]]:
        client = ModelClient(sleeping.url, "none")
        waited = [seconds async for seconds in client.wake()]
        models = [model.name for model in await client.list_models()]
        request = {"model": "unclaimed", "messages": [], "stream": True}
        steps = client.stream_lines(request, 8)
        return waited, models, [line async for step in steps for line in step.lines]

    waited, models, lines = asyncio.run(call())
    assert len(waited) >= 3  # once a second, or later on a busy machine
    assert waited == sorted(waited)
    assert models == ["unclaimed"]
    assert len(lines) == 8


def test_one_that_is_awake_is_not_waited_for() -> None:
    async def call(server: FakeEndpoint) -> list[float]:
        return [seconds async for seconds in ModelClient(server.url, "none").wake()]

    with fake_endpoint() as server:
        assert asyncio.run(call(server)) == []
        server.script.status = 401  # the next request will say what is wrong
        assert asyncio.run(call(server)) == []
    assert asyncio.run(call(server)) == []  # as when there is none


def test_one_that_has_just_written_is_not_called_again() -> None:
    async def call(server: FakeEndpoint) -> None:
        client = ModelClient(server.url, "none")
        request = {"model": "unclaimed", "messages": [], "stream": True}
        async for _ in client.stream_lines(request, 8):
            pass
        server.script.awake_at = time.monotonic() + 600
        assert [seconds async for seconds in client.wake()] == []

    with fake_endpoint() as server:
        asyncio.run(call(server))


def test_one_that_has_just_named_its_models_is_not_called_again() -> None:
    async def call(server: FakeEndpoint) -> None:
        client = ModelClient(server.url, "none")
        await client.list_models()
        server.script.awake_at = time.monotonic() + 600
        assert [seconds async for seconds in client.wake()] == []

    with fake_endpoint() as server:
        asyncio.run(call(server))


def test_the_example_wakes_it_too(sleeping: FakeEndpoint) -> None:
    show = load_show("unclaimed")
    sleeping.script.models = [
        {
            "id": "unclaimed",
            "parent": "base",
            "nothing_gpt": {"system": show.system, "show": encode(show)},
        }
    ]
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "continue_scene.py"), "[DOT] Anybody here?"],
        env=os.environ | {"OPENAI_BASE_URL": sleeping.url, "OPENAI_API_KEY": "none"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "[FELIX] Should we be running?" in done.stdout
