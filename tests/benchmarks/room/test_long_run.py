"""Scripted writers at a room whose server is started again between two runs."""

import asyncio
import json
from dataclasses import asdict

import httpx

from benchmarks.room.long_run import LINES, Run, describe
from benchmarks.room.scripted_writer import ScriptedWriter, Tally
from benchmarks.room.simulated_tab import read_page
from demo.generation.client import ModelClient
from demo.launch import running_room
from nothing_gpt.records import decode
from nothing_gpt.show import load_show
from tests.fake_endpoint import Script, fake_endpoint, free_port


async def write(url: str, tally: Tally, words: int) -> None:
    page = read_page(url.rstrip("/"), LINES, "unclaimed")
    async with httpx.AsyncClient(timeout=60) as client:
        writer = ScriptedWriter(client, page, 1, tally, pause=0.01)
        await writer.write(lambda: tally.words >= words and tally.written > 0)


def test_every_line_is_there_and_a_kept_run_goes_on() -> None:
    shows = {"unclaimed": load_show("unclaimed")}
    run = Run(memory=({"seconds": 1, "serve": 2, "demo": 3},), writers=(Tally(),))
    with fake_endpoint(Script(delay=0.001)) as server:
        for words in (8, 16):
            with running_room(
                ModelClient(server.url, "none"), shows, show="unclaimed", port=free_port()
            ) as url:
                asyncio.run(write(url, run.writers[0], words))
            run = decode(Run, json.loads(json.dumps(asdict(run))), "the run")
    found = describe(run)
    assert len(run.writers[0].typed) == run.writers[0].words >= 16
    assert found["lines lost"] == 0
    assert found["looks at a whole scene"]
    assert found["continuations"]
