"""The limits of a room hold for whoever writes, also without the page."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from benchmarks.room.simulated_tab import SimulatedTab, read_page
from demo.access.options import AccessOptions
from demo.generation.client import ModelClient
from demo.launch import running_room
from nothing_gpt.show import load_show
from tests.fake_endpoint import FakeEndpoint, Script, fake_endpoint, free_port

LINES, TOKENS = 2, 100


@pytest.fixture(scope="module")
def server() -> Iterator[FakeEndpoint]:
    with fake_endpoint(Script(models=[{"id": "paced"}])) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def room(server: FakeEndpoint) -> Iterator[str]:
    access = AccessOptions(limits={"tokens_per_minute": TOKENS})
    client = ModelClient(server.url, "none")
    shows = {"unclaimed": load_show("unclaimed")}
    with running_room(client, shows, show="unclaimed", port=free_port(), access=access) as address:
        yield address.rstrip("/")


def test_neither_a_page_that_was_never_opened_nor_a_header_gives_more(
    room: str, server: FakeEndpoint
) -> None:
    page = read_page(room, LINES)

    async def write_as(address: str) -> None:
        headers = {"x-forwarded-for": address, "forwarded": f"for={address}"}
        async with httpx.AsyncClient(timeout=60, headers=headers) as client:
            tab = SimulatedTab(client, page)
            await tab.begin()
            await tab.proceed(LINES)

    for number in range(6):
        asyncio.run(write_as(f"192.0.2.{number}"))
    # Each asks for all tokens of a minute, and gives back what it did not use.
    assert 1 <= len(server.requests) <= 5
    assert all(request["max_tokens"] <= TOKENS for request in server.requests)
