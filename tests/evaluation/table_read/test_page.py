"""The table read in a real browser: voting by keys, no names, the result, saving and deleting."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from evaluation.table_read.server import bind_port, make_app
from evaluation.table_read.table_read import TableRead
from nothing_gpt.votes.vote_file import read_votes
from tests.demo.axe import find_violations
from tests.demo.conftest import browser
from tests.evaluation.conftest import Kept
from tests.fake_endpoint import free_port

__all__ = ["browser"]

Scheme = Literal["light", "dark"]

MODELS = ("quill-seven", "ember-nine")


@contextmanager
def served(table_read: TableRead) -> Iterator[str]:
    """Serve the pages from a thread."""
    server = uvicorn.Server(uvicorn.Config(make_app(table_read), log_level="warning"))
    with bind_port(0) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def command(kept: Kept) -> list[str]:
    for model in MODELS:
        kept.keep_run(model)
    first, second = MODELS
    options = ["--show", "unclaimed", "--model", first, "--against", second, "--table-read"]
    return [sys.executable, "-m", "evaluation", *options]


@pytest.fixture
def running(kept: Kept, command: list[str]) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    port = free_port()
    process = subprocess.Popen(
        [*command, "--port", str(port)],
        env=os.environ | {"NOTHING_GPT_WORKSPACE": str(kept.workspace.root)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    # The port listens before this line.
    assert f"http://127.0.0.1:{port}" in process.stdout.readline()
    yield f"http://127.0.0.1:{port}", process
    process.kill()
    process.communicate()


def expect_pair(page: Page, number: int) -> None:
    """Wait for a pair and its buttons, which the keys press."""
    expect(page).to_have_title(f"Pair {number} - Table read")
    expect(page.get_by_role("button", name="Second is better")).to_be_visible()


def test_a_whole_table_read(
    browser: Browser, kept: Kept, running: tuple[str, "subprocess.Popen[str]"]
) -> None:
    url, process = running
    page = browser.new_page(viewport={"width": 390, "height": 800})
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.goto(url)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    pairs = len(kept.windows)
    for number in range(pairs + pairs // 10):
        expect_pair(page, number + 1)
        assert not any(model in page.content() for model in MODELS)
        if number % 2:
            page.get_by_role("button", name="Second is better").click()
        else:
            page.keyboard.press("1")
    expect(page.get_by_role("heading", name="All pairs are read")).to_be_visible()
    page.get_by_role("button", name="Take back the last vote").click()
    expect_pair(page, pairs + pairs // 10)
    page.keyboard.press("2")
    expect(page.get_by_role("heading", name="All pairs are read")).to_be_visible()

    page.get_by_role("link", name="Result and votes").click()
    row = page.get_by_role("row", name=f"{MODELS[0]} against {MODELS[1]}")
    expect(row).to_contain_text(f"of {pairs}")
    agreement = page.get_by_role("row", name="the same choice when shown again")
    expect(agreement).to_contain_text("of 1")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    with page.expect_download() as download:
        page.get_by_role("link", name=f"Save all {pairs + 1} votes").click()
    assert len(read_votes([Path(download.value.path())])) == pairs + 1
    page.get_by_text("Delete them").click()
    page.get_by_role("button", name="Delete all votes").click()
    expect_pair(page, 1)
    assert problems == []

    page.keyboard.press("1")
    expect(page).to_have_title("Pair 2 - Table read")
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert f"{MODELS[0]} against {MODELS[1]}: " in output
    assert str(kept.workspace.votes("unclaimed")) in output


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, table_read: TableRead, scheme: Scheme) -> None:
    def show(path: str) -> Page:
        page.goto(f"{url}{path}")
        return page

    # The pages allow no foreign script; axe-core is one.
    page = browser.new_page(bypass_csp=True, color_scheme=scheme)
    with served(table_read) as url:
        found = [find_violations(show("/"))]
        expect_pair(page, 1)
        page.keyboard.press("1")
        expect(page).to_have_title("Pair 2 - Table read")
        found += [find_violations(show(path)) for path in ("/", "/result")]
    assert found == [{}] * 3


def test_it_answers_this_machine_alone_and_what_is_no_vote_is_one_message(
    kept: Kept, command: list[str], running: tuple[str, "subprocess.Popen[str]"]
) -> None:
    url, _ = running
    vote = {"key": "a", "choice": "1"}
    with httpx.Client(base_url=url) as client:
        for headers in ({"host": "example.org"}, {"origin": "https://example.org"}):
            assert client.get("/", headers=headers).status_code == 403
            assert client.post("/vote", data=vote, headers=headers).status_code == 403
        assert client.post("/vote", data=vote | {"choice": "3"}).status_code == 400
        assert client.post("/vote", data=vote | {"more": "x" * 2_000}).status_code == 400
        assert client.post("/vote", data=vote).headers["location"] == "/"
        assert client.get("/votes.jsonl").text == "There are no votes yet."
        assert "frame-ancestors" in client.get("/").headers["content-security-policy"]
    again = subprocess.run(
        [*command, "--port", "0"],
        env=os.environ | {"NOTHING_GPT_WORKSPACE": str(kept.workspace.root)},
        capture_output=True,
        text=True,
    )
    assert again.returncode == 1
    assert "another table read keeps its votes here" in again.stderr
    assert len(again.stderr.splitlines()) == 1
