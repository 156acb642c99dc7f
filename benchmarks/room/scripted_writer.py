"""A writer who follows a script: lines by hand, continuations, and a look at what the room has."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx

from benchmarks.room.simulated_tab import Page, SimulatedTab
from demo.scene.history_log import HistoryLog, read_history_log
from nothing_gpt.records import decode, encode

LINES_OF_A_SCENE = 120
ACTIONS_OF_A_CHECK = 10


@dataclass
class Tally:
    """What a writer has done; all of it is kept between two starts.

    Attributes:
        journal: The open scene, as the browser keeps it.
        acted: The number of the scene's last action.
        typed: The lines that were typed into the open scene and confirmed.
        lost: Typed lines that a look at the scene did not find.
    """

    journal: dict[str, Any] | None = None
    acted: int = 0
    typed: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    words: int = 0
    written: int = 0
    interrupted: int = 0
    repeated: int = 0
    looks: int = 0
    scenes: int = 0


class ScriptedWriter:
    """One of the writers.

    Args:
        number: Seeds what the writer does.
        tally: What earlier starts have done.
        pause: Mean seconds between two actions.
    """

    def __init__(
        self, client: httpx.AsyncClient, page: Page, number: int, tally: Tally, pause: float
    ) -> None:
        self._client, self._page, self._number, self.tally = client, page, number, tally
        self._pause, self._random = pause, Random(number)  # noqa: S311 - a script
        self._tab = SimulatedTab(client, page)
        self._run = ""

    async def write(self, is_over: Callable[[], bool]) -> None:
        """Write until it is over, then look at the scene once more."""
        await self._open()
        while not is_over():
            for _ in range(ACTIONS_OF_A_CHECK):
                await asyncio.sleep(self._random.uniform(0, 2 * self._pause))
                if is_over():
                    break
                await self._do_next()
            await self._look()
            if len(self.tally.typed) >= LINES_OF_A_SCENE:
                self.tally.journal, self.tally.acted, self.tally.typed = None, 0, ()
                await self._open()

    async def _open(self) -> None:
        """Hand the scene over, as the page does."""
        self.tally.scenes += self.tally.journal is None
        self._run = f"{self._number}-{self._random.getrandbits(48):x}"
        greeting = {"run": self._run, "journal": self.tally.journal, "acted": self.tally.acted}
        await self._ask(self._page.hello, greeting)

    async def _do_next(self) -> None:
        if self._random.random() < 0.25 and self.tally.typed:
            await self._continue()
        else:
            await self._type()

    async def _type(self) -> None:
        """Type a line, and send it until it is confirmed."""
        text = f"This is line {self.tally.words} of writer {self._number}."
        fields = {"deed": "write", "speaker": "DOT", "text": text}
        await self._confirm(self._page.act, fields)
        self.tally.words += 1
        self.tally.typed += (text,)

    async def _continue(self) -> None:
        lines = await self._confirm(self._page.proceed, {"deed": "proceed"})
        # The status of the last message says how many lines the model has written.
        complete = any(" lines by " in line or "1 line by " in line for line in lines)
        self.tally.written += complete
        self.tally.interrupted += not complete

    async def _confirm(self, handler: tuple[int, list[Any]], fields: dict[str, Any]) -> list[str]:
        number = self.tally.acted + 1
        while True:
            event = {"run": self._run, "number": number, "seen": number - 1, **fields}
            lines = await self._ask(handler, event)
            acted = [patch["acted"] for patch in _find_patches(lines, self._run)]
            if acted and max(acted) >= number:
                self.tally.acted = number
                return lines
            self.tally.repeated += 1
            if not acted:  # the room was started again and has not got the scene
                await self._open()

    async def _look(self) -> None:
        """Read the whole scene from the room; note which typed lines are missing."""
        patches = list(_find_patches(await self._ask(self._page.again, {}), self._run))
        if not patches:
            await self._open()
            return
        whole = next(patch for patch in patches if patch["count"] == 1)
        steps = [step for _, step in sorted(whole["steps"], key=lambda each: int(each[0]))]
        log = {"steps": steps, "at": whole["at"]}
        history = read_history_log(decode(HistoryLog, log, "the room"))
        there = {entry.text for entry in history.scene.entries}
        self.tally.lost += tuple(text for text in self.tally.typed if text not in there)
        self.tally.journal = encode(HistoryLog(history.versions, history.at))
        self.tally.looks += 1

    async def _ask(self, handler: tuple[int, list[Any]], event: dict[str, Any]) -> list[str]:
        while True:
            try:
                async with aclosing(self._tab.call(*handler, event)) as lines:
                    return [line async for line in lines]
            except httpx.HTTPError:
                self.tally.repeated += 1
                await asyncio.sleep(1)


def _find_patches(lines: list[str], run: str) -> Iterator[dict[str, Any]]:
    """Find the patches of a run in the lines of an answer."""
    for line in lines:
        if '"process_completed"' not in line and '"process_generating"' not in line:
            continue
        message = json.loads(line.removeprefix("data:"))
        for text in _find_texts(message.get("output", {}).get("data", [])):
            if text.startswith('{"run"'):
                page_message = json.loads(text)
                if page_message["run"] == run:
                    yield from page_message["patches"]


def _find_texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, list | dict):
        for each in data.values() if isinstance(data, dict) else data:
            yield from _find_texts(each)
