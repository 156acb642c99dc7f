"""What a page receives over Gradio's queue."""

import asyncio
import json
from typing import Any

import gradio as gr
import httpx

from benchmarks.room.simulated_tab import SimulatedTab, read_page
from demo.generation.client import ModelClient
from demo.launch import running_room
from nothing_gpt.show import load_show
from tests.fake_endpoint import Script, fake_endpoint, free_port


def test_the_end_of_a_generation_repeats_nothing() -> None:
    """By then another event can have changed the page."""
    shows = {"unclaimed": load_show("unclaimed")}

    async def generate(url: str) -> list[dict[str, Any]]:
        page = read_page(url, 2)
        async with httpx.AsyncClient(timeout=60) as client:
            tab = SimulatedTab(client, page)
            opened = [text async for text in tab.call(*page.connect, {})]
            await tab.begin()
            action = {"run": tab.session, "number": 2, "seen": 0, "deed": "proceed"}
            written = [text async for text in tab.call(*page.proceed, action)]
        texts = [text.removeprefix("data: ") for text in (*opened, *written) if text]
        return [json.loads(text) for text in texts]

    with (
        fake_endpoint(Script(models=[{"id": "paced"}])) as server,
        running_room(
            ModelClient(server.url, "none"), shows, show="unclaimed", port=free_port()
        ) as address,
    ):
        messages = asyncio.run(generate(address.rstrip("/")))
    ended = [each["output"]["data"] for each in messages if each["msg"] == "process_completed"]
    assert len(ended) == 2
    assert all(value == gr.skip() for values in ended for value in values)
    # The last update came before.
    assert any(each["msg"] == "process_generating" for each in messages)
