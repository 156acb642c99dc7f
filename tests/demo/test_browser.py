"""The room in a real browser, as a person uses it."""

import asyncio
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from demo.client import Endpoint
from demo.launch import running_room
from demo.room import Room
from demo.session import Session
from nothing_gpt.records import encode
from nothing_gpt.show import load_show
from tests.fake_endpoint import SCENE, FakeEndpoint, Script, cut, fake_endpoint, free_port

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
        "nothing_gpt": {"show": encode(SHOWS["unclaimed"]), "format": "directed"},
    },
    {"id": "elaine", "nothing_gpt": {"show": encode(SHOWS["seinfeld"]), "format": "directed"}},
    {"id": "jerry", "nothing_gpt": {"show": encode(SHOWS["seinfeld"]), "format": "script"}},
]

expect.set_options(timeout=15_000)
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def server() -> Iterator[FakeEndpoint]:
    with fake_endpoint(Script(models=MODELS, delay=0.005)) as endpoint:
        yield endpoint


@pytest.fixture
def room(server: FakeEndpoint) -> Iterator[str]:
    endpoint = Endpoint(server.url, "none")
    with running_room(endpoint, SHOWS, show="unclaimed", port=free_port()) as url:
        yield url


@pytest.fixture
def page(browser: Browser, room: str) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        page.set_default_timeout(15_000)
        elsewhere: list[str] = []
        faults: list[str] = []
        page.on("request", lambda request: elsewhere.append(request.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(room)
        expect(note(page)).to_have_text("Ready.")
        yield page
        assert faults == []
        local = ("http://127.0.0.1:", "data:", "blob:")
        assert [url for url in elsewhere if not url.startswith(local)] == []


def note(page: Page) -> Locator:
    return page.locator(".note")


def lines(page: Page) -> Locator:
    return page.locator("[data-index]")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def composer(page: Page) -> Locator:
    return page.get_by_label("New line")


def write(page: Page, speaker: str, text: str) -> None:
    who = page.get_by_label("Who", exact=True)
    who.fill(speaker)
    who.press("Enter")
    composer(page).fill(text)
    composer(page).press("Enter")


def shown(page: Page) -> list[str]:
    names, words = page.locator("[data-index] .name"), page.locator("[data-index] .words")
    pairs = zip(names.all_text_contents(), words.all_text_contents(), strict=True)
    return [f"[{name}] {text}" for name, text in pairs]


def saved(page: Page, name: str) -> str:
    with page.expect_download() as download:
        button(page, name).click()
    return Path(download.value.path()).read_text(encoding="utf-8")


def test_a_first_visit(page: Page, server: FakeEndpoint) -> None:
    expect(page.locator("h1")).to_have_text("Unclaimed")
    expect(page.get_by_label("Model", exact=True)).to_have_value("unclaimed")
    expect(button(page, "Undo")).to_be_disabled()

    button(page, "Surprise me").click()
    expect(lines(page)).to_have_count(5)
    premise = page.get_by_label("Premise").input_value()
    assert premise in [opening.premise for opening in SHOWS["unclaimed"].prompt.openings]

    write(page, "WALLY", "I lost a suitcase once.")
    expect(lines(page)).to_have_count(6)
    expect(composer(page)).to_have_value("")
    beginning = shown(page)
    assert beginning[-1] == "[WALLY] I lost a suitcase once."

    server.script.hang_after = 32
    button(page, "Continue").click()
    expect(page.locator(".growing .words")).to_contain_text("Let it be")
    expect(button(page, "Continue")).to_be_disabled()
    button(page, "Stop").click()
    expect(note(page)).to_have_text("Stopped. 3 lines kept.")
    assert server.disconnected.wait(5)
    expect(page.locator(".growing")).to_have_count(0)
    first = shown(page)
    assert first[6:] == SCENE.splitlines()[:3]

    server.script.hang_after = None
    server.script.pieces = cut("[BEA] Interesting.\n[DOT] No.\n")
    button(page, "Retake").click()
    expect(note(page)).to_have_text(re.compile("ended the scene after 2 lines of 8"))
    assert shown(page) == [*beginning, "[BEA] Interesting.", "[DOT] No."]

    button(page, "Undo").click()
    expect(lines(page)).to_have_count(9)
    assert shown(page) == first
    button(page, "Redo").click()
    expect(lines(page)).to_have_count(8)

    words = lines(page).nth(6).locator(".words")
    words.fill("Very interesting.")
    words.press("Enter")
    expect(lines(page).nth(6).locator(".mark")).to_have_text("edited")
    assert saved(page, "Save text").endswith("BEA: Very interesting.\n\nDOT: No.\n")
    assert f"= {premise}\n" in saved(page, "Save Fountain")

    asked = server.requests[-1]
    assert asked["model"] == "unclaimed"
    assert f"Premise: {premise}" in asked["messages"][0]["content"]
    assert asked["messages"][1]["content"].splitlines() == beginning
    assert server.requests[0]["seed"] != asked["seed"]

    button(page, "Start over").click()
    expect(page.locator(".openings")).to_be_visible()
    expect(page.get_by_label("Premise")).to_have_value("")
    button(page, "Undo").click()
    expect(lines(page)).to_have_count(8)
    expect(page.get_by_label("Premise")).to_have_value(premise)


def test_the_server_dies_in_the_middle_of_a_line_and_comes_back(
    page: Page, server: FakeEndpoint
) -> None:
    page.locator("[data-opening='0']").click()
    expect(lines(page)).to_have_count(5)
    server.script.die_after = 25
    button(page, "Continue").click()
    expect(note(page)).to_contain_text("2 lines kept. The server at")
    expect(note(page)).to_contain_text("broke off in the middle")
    expect(lines(page)).to_have_count(7)

    server.script.status = 503
    button(page, "Continue").click()
    expect(note(page)).to_contain_text("Waiting for the server, 1 s so far.")
    server.script.status, server.script.die_after = 200, None
    expect(note(page)).to_have_text("8 lines by unclaimed.")
    expect(lines(page)).to_have_count(15)


def test_the_server_is_asleep_when_the_page_opens(page: Page, server: FakeEndpoint) -> None:
    server.script.awake_at = time.monotonic() + 4
    page.reload()
    expect(note(page)).to_contain_text("s so far. A GPU that was asleep is starting")
    expect(note(page)).to_have_text("Ready.", timeout=10_000)


def test_waiting_for_a_sleeping_server_can_be_stopped(page: Page, server: FakeEndpoint) -> None:
    page.locator("[data-opening='0']").click()
    expect(lines(page)).to_have_count(5)
    server.script.awake_at = time.monotonic() + 3600
    for name in ("Reconnect", "Continue"):
        button(page, name).click()
        expect(note(page)).to_contain_text("Waiting for the server")
        button(page, "Stop").click()
        expect(note(page)).to_have_text("Stopped.")
        expect(button(page, "Stop")).to_be_disabled()
    server.script.awake_at = 0
    button(page, "Continue").click()
    expect(note(page)).to_have_text("8 lines by unclaimed.")


def test_nothing_that_is_written_runs(page: Page, server: FakeEndpoint) -> None:
    trap = "<script>window.hit=1</script><img src=x onerror='window.hit=1'>${window.hit=1}"
    write(page, "DOT", trap)
    expect(lines(page)).to_have_count(1)
    page.get_by_label("Premise").fill(trap)
    page.get_by_label("Guests").fill("<script>window.hit=1</script>")
    page.get_by_label("Guests").blur()
    expect(note(page)).to_contain_text("cannot be a character's name")
    page.get_by_label("Guests").fill("")
    server.script.pieces = cut(f"[BEA] {trap}\n")
    button(page, "Continue").click()
    expect(lines(page)).to_have_count(2)
    assert shown(page) == [f"[DOT] {trap}", f"[BEA] {trap}"]
    expect(page.locator(".premise")).to_have_text(trap)
    assert page.evaluate("window.hit") is None
    assert page.locator("#sheet script, #sheet img").count() == 0


def test_edits_on_the_page(page: Page) -> None:
    write(page, "DOT", "No.")
    write(page, "aunt ruth", "Yes.")
    expect(lines(page)).to_have_count(2)
    name = lines(page).nth(0).locator(".name")

    name.fill("(nobody)")
    name.press("Enter")
    expect(note(page)).to_contain_text("cannot be a character's name")
    expect(name).to_have_text("DOT")

    words = lines(page).nth(0).locator(".words")
    words.fill("Never mind.")
    words.press("Escape")
    expect(words).to_have_text("No.")

    name.fill("june")
    name.press("Enter")
    expect(name).to_have_text("JUNE")
    words.fill("")
    words.press("Enter")
    expect(lines(page)).to_have_count(1)
    assert shown(page) == ["[AUNT RUTH] Yes."]
    button(page, "Undo").click()
    expect(lines(page)).to_have_count(2)


def test_an_edit_that_is_left_by_clicking_continue_counts(page: Page) -> None:
    write(page, "DOT", "No.")
    expect(lines(page)).to_have_count(1)
    lines(page).nth(0).locator(".words").fill("Maybe.")
    button(page, "Continue").click()
    expect(note(page)).to_have_text("8 lines by unclaimed.")
    assert shown(page)[:2] == ["[DOT] Maybe.", "[DOT] It does seem to be."]


def test_a_drawing_in_the_middle_of_an_edit_does_not_take_the_words_away(
    browser: Browser, server: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = asyncio.Event()
    keep = Room.keep

    async def keep_when_told(self: Room, session: Session, *fields: Any) -> dict[Any, Any]:
        await drawn.wait()
        return await keep(self, session, *fields)

    monkeypatch.setattr(Room, "keep", keep_when_told)
    endpoint = Endpoint(server.url, "none")
    with (
        running_room(endpoint, SHOWS, show="unclaimed", port=free_port()) as url,
        browser.new_context() as context,
    ):
        page = context.new_page()
        page.goto(url)
        expect(note(page)).to_have_text("Ready.")
        write(page, "DOT", "No.")
        expect(lines(page)).to_have_count(1)
        page.get_by_label("Premise").fill("Tea.")
        words = lines(page).nth(0).locator(".words")
        words.click()
        words.press("End")
        words.press_sequentially(" Nev")
        drawn.set()
        expect(page.locator(".premise")).to_have_text("Tea.")
        words.press_sequentially("er.")
        words.press("Enter")
        expect(page.locator(".note")).to_have_text("")
        expect(words).to_have_text("No. Never.")
        assert saved(page, "Save text").endswith("DOT: No. Never.\n")


def test_continue_takes_the_composed_line_along(page: Page, server: FakeEndpoint) -> None:
    composer(page).fill("It is ringing.")
    page.get_by_label("Lines to write").fill("2")
    button(page, "Continue").click()
    expect(note(page)).to_have_text("2 lines by unclaimed.")
    expect(composer(page)).to_have_value("")
    assert server.requests[0]["messages"][1]["content"] == "[DOT] It is ringing."


def test_a_line_that_is_sent_twice_is_added_once(page: Page, server: FakeEndpoint) -> None:
    composer(page).fill("It is ringing.")
    page.evaluate(
        """() => {
            const enter = new KeyboardEvent("keypress", {key: "Enter", bubbles: true});
            document.querySelector("#compose textarea").dispatchEvent(enter);
            document.querySelector("#actions button.primary").click();
        }"""
    )
    expect(note(page)).to_have_text("8 lines by unclaimed.")
    assert server.requests[0]["messages"][1]["content"] == "[DOT] It is ringing."
    write(page, "DOT", "It is ringing.")
    write(page, "DOT", "It is ringing.")
    expect(lines(page)).to_have_count(11)


def test_a_line_that_cannot_be_added_comes_back_to_be_mended(page: Page) -> None:
    write(page, "(nobody)", "Yes.")
    expect(note(page)).to_contain_text("cannot be a character's name")
    expect(composer(page)).to_have_value("Yes.")
    write(page, "ruth", "Yes.")
    expect(lines(page)).to_have_count(1)
    expect(composer(page)).to_have_value("")


def test_a_stage_direction_is_for_people(page: Page, server: FakeEndpoint) -> None:
    write(page, "stage direction", "A telephone rings.")
    expect(page.locator(".entry.stage")).to_have_text(re.compile("A telephone rings"))
    button(page, "Continue").click()
    expect(note(page)).to_contain_text("no line to go on from")
    write(page, "DOT", "No.")
    button(page, "Continue").click()
    expect(note(page)).to_have_text("8 lines by unclaimed.")
    assert server.requests[0]["messages"][1]["content"] == "[DOT] No."


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_label(label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def test_the_room_offers_what_the_model_was_trained_on(page: Page, server: FakeEndpoint) -> None:
    expect(page.get_by_label("Show", exact=True)).to_be_hidden()
    choose(page, "Model", "jerry")
    expect(page.locator("h1")).to_have_text("Seinfeld")
    expect(page.get_by_label("Premise")).to_be_hidden()
    expect(page.get_by_text("goes by the lines alone")).to_be_visible()

    choose(page, "Model", "pocket-unclaimed")
    expect(page.get_by_label("Premise")).to_be_visible()
    choose(page, "Show", "Seinfeld")
    expect(page.get_by_label("Premise")).to_be_hidden()
    page.locator("[data-opening='0']").click()
    expect(lines(page)).to_have_count(5)
    button(page, "Continue").click()
    expect(note(page)).to_have_text("8 lines by pocket-unclaimed.")
    assert server.requests[0]["messages"][0]["content"] == SHOWS["seinfeld"].system

    choose(page, "Model", "elaine")
    page.get_by_label("Premise").fill("Soup.")
    page.get_by_role("checkbox", name="KRAMER").check()
    choose(page, "Model", "jerry")
    button(page, "Continue").click()
    expect(note(page)).to_have_text("8 lines by jerry.")
    assert server.requests[-1]["messages"][0]["content"] == SHOWS["seinfeld"].system

    choose(page, "Model", "unclaimed")
    expect(page.get_by_label("Premise")).to_have_value("Soup.")
    expect(page.get_by_label("Guests")).to_have_value(re.compile("KRAMER"))
    page.get_by_role("checkbox", name="BEA").check()
    page.get_by_label("Guests").fill("ruth")
    button(page, "Continue").click()
    expect(note(page)).to_have_text("8 lines by unclaimed.")
    told = server.requests[-1]["messages"][0]["content"]
    assert told.endswith("Premise: Soup.\nPresent: BEA, RUTH")


def test_a_closed_tab_stops_the_server(page: Page, server: FakeEndpoint) -> None:
    server.script.pieces = cut(SCENE) + ["[DOT] No. "] * 500
    write(page, "DOT", "No.")
    expect(lines(page)).to_have_count(1)
    page.get_by_label("Lines to write").fill("30")
    button(page, "Continue").click()
    expect(lines(page).nth(5)).to_be_visible()
    page.close()
    assert server.disconnected.wait(5)


def test_a_server_that_comes_after_the_room(browser: Browser) -> None:
    port = free_port()
    endpoint = Endpoint(f"http://127.0.0.1:{port}/v1", "none")
    with (
        running_room(endpoint, SHOWS, show="unclaimed", port=free_port()) as url,
        browser.new_context() as context,
    ):
        page = context.new_page()
        page.goto(url)
        expect(note(page)).to_contain_text("cannot be reached; start it")
        page.locator("[data-opening='0']").click()
        expect(lines(page)).to_have_count(5)
        with fake_endpoint(Script(models=MODELS), port=port):
            button(page, "Continue").click()
            expect(note(page)).to_have_text("8 lines by unclaimed.")
            button(page, "Reconnect").click()
            expect(note(page)).to_have_text("Ready.")
        expect(lines(page)).to_have_count(13)


def test_two_tabs_are_two_scenes(page: Page, room: str) -> None:
    other = page.context.new_page()
    other.goto(room)
    expect(note(other)).to_have_text("Ready.")
    write(page, "DOT", "One.")
    write(other, "BEA", "Two.")
    expect(lines(page)).to_have_count(1)
    expect(lines(other)).to_have_count(1)
    assert (shown(page), shown(other)) == (["[DOT] One."], ["[BEA] Two."])


@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_and_follows_what_is_written(page: Page, server: FakeEndpoint, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    server.script.pieces = cut("".join(f"{line}\n" for line in SCENE.splitlines() * 3))
    write(page, "DOT", "x" * 10_000)
    page.get_by_label("Lines to write").fill("24")
    button(page, "Continue").click()
    expect(note(page)).to_have_text("24 lines by unclaimed.")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    last = lines(page).last.bounding_box()
    dock = page.locator("#dock").bounding_box()
    assert last
    assert dock
    assert last["y"] + last["height"] <= dock["y"] + 20
    expect(button(page, "Continue")).to_be_in_viewport()
