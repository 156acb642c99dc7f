"""Fixtures for the tests of the page: one browser a file, one room and one server for all."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from demo.generation.client import ModelClient
from demo.launch import running_room
from nothing_gpt.records import encode
from nothing_gpt.show import load_show
from tests.fake_endpoint import FakeEndpoint, Script, cut, fake_endpoint, free_port

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
SHOWS = {name: load_show(name) for name in ("unclaimed", "seinfeld")}
MODELS: list[dict[str, Any]] = [
    {"id": "pocket-unclaimed"},
    {
        "id": "unclaimed",
        "parent": "pocket-unclaimed",
        "nothing_gpt": {
            "show": encode(SHOWS["unclaimed"]),
            "format": "directed",
            "metrics": {"eval_loss": 2.61, "eval_bits_per_byte": 1.186},
        },
    },
    {"id": "elaine", "nothing_gpt": {"show": encode(SHOWS["seinfeld"]), "format": "directed"}},
    {"id": "jerry", "nothing_gpt": {"show": encode(SHOWS["seinfeld"]), "format": "script"}},
]
SCENE = (
    "[DOT] It does seem to be.\n[FELIX] Should we be running? My shoe is undone.\n"
    "[JUNE] Nobody runs before tea.\n[MR. PIKE] Let it be noted that I did not run.\n"
    "[DOT] In my day a suitcase waited its turn.\n[FELIX] Can I ask something?\n"
    "[DOT] No.\n[FELIX] Picture this. A bigger suitcase.\n"
)
"""Eight lines of the cast in the show's first opening."""

PATIENCE = 60_000
"""Milliseconds after which a page has stopped; a busy machine can take a quarter of them."""

expect.set_options(timeout=PATIENCE)


@dataclass(frozen=True)
class Stage:
    """A page in a browser, and what a person does on it."""

    page: Page

    def note(self) -> Locator:
        """The message to the writer."""
        return self.page.locator(".note")

    def lines(self) -> Locator:
        """The lines of the script; Gradio's lists of options have indices too."""
        return self.page.locator(".lines [data-index]")

    def words(self, index: int) -> Locator:
        """The words of a line."""
        return self.lines().nth(index).locator(".words")

    def button(self, name: str) -> Locator:
        """A button by its name."""
        return self.page.get_by_role("button", name=name, exact=True)

    def composer(self) -> Locator:
        """The field for a new line."""
        return self.page.get_by_role("textbox", name="New line", exact=True)

    def write(self, speaker: str, text: str) -> None:
        """Write a line for a speaker."""
        who = self.page.get_by_label("Who", exact=True)
        who.fill(speaker)
        who.press("Enter")
        self.composer().fill(text)
        self.composer().press("Enter")

    def begin(self) -> None:
        """Start with the first opening, which has five lines."""
        self.page.locator("[data-opening='0']").click()
        expect(self.lines()).to_have_count(5)

    def proceed(self, status: str | re.Pattern[str] = "8 lines by unclaimed.") -> None:
        """Continue the scene, and wait for the message."""
        self.button("Continue").click()
        expect(self.note()).to_have_text(status)
        # The message and the script arrive in one update but are drawn one after the other.
        expect(self.page.locator(".lines.fixed")).to_have_count(0)

    def shown(self) -> list[str]:
        """The whole script as text, read at one moment."""
        read = """rows => rows.map(row => {
            const [name, words] = [".name", ".words"].map(part => row.querySelector(part));
            return `[${name?.textContent ?? ""}] ${words.textContent}`;
        })"""
        lines: list[str] = self.lines().evaluate_all(read)
        return lines

    def choose(self, label: str, option: str) -> None:
        """Choose from a list."""
        self.page.get_by_label(label, exact=True).click()
        self.page.get_by_role("option", name=option, exact=True).click()

    def do(self, index: int, action: str) -> None:
        """Choose an action in the menu of a line."""
        self.lines().nth(index).hover()
        self.page.get_by_label(f"What to do with line {index + 1}", exact=True).click()
        self.page.get_by_role("menuitem", name=action).click()

    def export(self, name: str) -> str:
        """Export the scene; return the file's text."""
        self.button("Export").click()
        with self.page.expect_download() as download:
            self.page.locator("#exports").get_by_text(name).click()
        return Path(download.value.path()).read_text(encoding="utf-8")

    def come_in(self, url: str) -> "Stage":
        """Open the room and wait until it is ready."""
        self.page.set_default_timeout(PATIENCE)
        self.page.goto(url)
        expect(self.note()).to_have_text("Ready.")
        return self


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, one for each file: while it runs, its thread has a running event loop, in
    which tests of coroutines cannot run.
    """
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shared_server() -> Iterator[FakeEndpoint]:
    """The server behind the room."""
    with fake_endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def server(shared_server: FakeEndpoint) -> FakeEndpoint:
    """The server in its initial state."""
    shared_server.script = Script(models=MODELS, pieces=cut(SCENE), delay=0.001)
    shared_server.requests.clear()
    shared_server.disconnected.clear()
    return shared_server


@pytest.fixture(scope="session")
def room(shared_server: FakeEndpoint) -> Iterator[str]:
    """The room's address."""
    client = ModelClient(shared_server.url, "none")
    with running_room(client, SHOWS, show="unclaimed", port=free_port()) as url:
        yield url


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser with empty storage; an error on its pages or a foreign request fails the test."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        urls: list[str] = []
        errors: list[str] = []
        context.on("request", lambda request: urls.append(request.url))
        context.on("weberror", lambda error: errors.append(str(error.error)))
        yield context
        assert errors == []
        local = ("http://127.0.0.1:", "data:", "blob:")
        assert [url for url in urls if not url.startswith(local)] == []


@pytest.fixture
def stage(context: BrowserContext, server: FakeEndpoint, room: str) -> Stage:  # noqa: ARG001
    """A page with the room, ready to use."""
    return Stage(context.new_page()).come_in(room)
