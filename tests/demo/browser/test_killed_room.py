"""A room that is killed again and again under a slowed browser: every word is found again.

Other moments, and more of them, with this file as FILE:

    ROOM_KILLS=20 ROOM_SEED=2 python -m pytest FILE
"""

import multiprocessing
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from random import Random

import pytest
from playwright.sync_api import Browser, expect

from demo.generation.client import ModelClient
from demo.launch import open_room
from tests.demo.conftest import SHOWS, Stage
from tests.fake_endpoint import FakeEndpoint, free_port

KILLS = int(os.environ.get("ROOM_KILLS", "3"))
SEED = int(os.environ.get("ROOM_SEED", "14"))
SLOWDOWN = 3
LATEST_KILL = 1.5
"""Seconds after the start of two actions, so that a kill comes before, between or after them."""

FIND_MISSING = """(words) => {
  const fields = [...document.querySelectorAll("#compose textarea, #premise textarea")];
  const parts = [...document.querySelectorAll(".lines, .waiting ol")];
  const texts = [...fields.map(({value}) => value), ...parts.map((part) => part.textContent)];
  return words.filter((word) => !texts.join(" ").includes(word));
}"""
FIND_LOST = f"""(words) => {{
  const isDrawn = document.querySelector(".lines .entry");
  return isDrawn ? ({FIND_MISSING})(words) : [];  // else the page is being loaded anew
}}"""
IS_SETTLED = f"""(words) => {{
  const lost = document.body.innerText.includes("Connection Lost");
  const isIdle = document.querySelector(".waiting")?.hidden;
  return isIdle && !lost && ({FIND_MISSING})(words).length === 0;
}}"""


def serve_room(endpoint: str, port: int) -> None:
    """Serve a room until the process is killed."""
    open_room(ModelClient(endpoint, "none"), SHOWS, show="unclaimed", port=port)


@dataclass
class KilledRoom:
    """A room in a process of its own."""

    server: FakeEndpoint
    port: int = field(default_factory=free_port)
    process: ForkServerProcess | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["gradio", "openai", __name__])
        self.process = context.Process(target=serve_room, args=(self.server.url, self.port))
        self.process.start()
        while not self._answers():
            assert self.process.is_alive(), "the room did not start"
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/config", timeout=5):  # noqa: S310 - http
                return True
        except (urllib.error.URLError, OSError):
            return False

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.join()


@pytest.fixture
def killed_room(server: FakeEndpoint) -> Iterator[KilledRoom]:
    room = KilledRoom(server)
    room.start()
    yield room
    room.kill()


@dataclass
class Writer:
    """Somebody who writes, each time with a new word."""

    stage: Stage
    random: Random
    words: list[str] = field(default_factory=list)

    def new_word(self) -> str:
        self.words.append(f"word{len(self.words)}x")
        return self.words[-1]

    def half_write(self) -> None:
        composer = self.stage.composer()
        composer.press("End")
        composer.press_sequentially(f" {self.new_word()}")

    def write(self) -> None:
        self.half_write()
        self.stage.composer().press("Enter")

    def half_edit(self) -> None:
        words = self.stage.words(self.random.randrange(self.stage.lines().count()))
        words.click()
        words.press("End")
        words.press_sequentially(f" {self.new_word()}")

    def edit(self) -> None:
        self.half_edit()
        self.stage.page.keyboard.press("Enter")

    def insert(self) -> None:
        words = self.stage.words(0)
        words.focus()
        words.press("Alt+Enter")
        self.stage.page.keyboard.type(self.new_word())
        self.stage.page.keyboard.press("Enter")

    def direct(self) -> None:
        premise = self.stage.page.get_by_label("Premise")
        premise.press("End")
        premise.press_sequentially(f" {self.new_word()}")

    def proceed(self) -> None:
        self.half_write()
        self.stage.composer().press("Control+Enter")


@pytest.mark.timeout(900)
def test_every_word_is_found_again(browser: Browser, killed_room: KilledRoom) -> None:
    random = Random(SEED)
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        stage = Stage(context.new_page()).come_in(killed_room.url)
        page, writer = stage.page, Writer(stage, random)
        slow = context.new_cdp_session(page)
        slow.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
        stage.begin()
        actions: list[Callable[[], None]] = [
            writer.write, writer.half_write, writer.edit, writer.half_edit,
            writer.insert, writer.direct, writer.proceed,
        ]  # fmt: skip
        for number in range(KILLS):
            killer = threading.Timer(random.random() * LATEST_KILL, killed_room.kill)
            killer.start()
            for action in (random.choice(actions), random.choice(actions[:-1])):
                action()
            assert page.evaluate(FIND_LOST, writer.words) == [], f"at once, after kill {number}"
            killer.join()
            killed_room.start()
            page.wait_for_function(IS_SETTLED, arg=writer.words, timeout=60_000)
        stage.composer().press("Enter")
        expect(stage.composer()).to_have_value("")
        page.wait_for_function(IS_SETTLED, arg=writer.words, timeout=60_000)
        exported = stage.export("Plain text")
        found = {word: exported.count(word) for word in writer.words}
        assert found == dict.fromkeys(writer.words, 1)
