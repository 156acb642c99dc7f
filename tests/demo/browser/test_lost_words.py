"""No word that was typed is lost: the room restarts, the network is gone, the page is closed."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from demo.generation.client import ModelClient
from demo.launch import running_room
from tests.demo.conftest import SHOWS, Stage
from tests.fake_endpoint import FakeEndpoint, free_port


@dataclass
class RestartedRoom:
    """A room that a test stops and starts again at the same address."""

    server: FakeEndpoint
    port: int = field(default_factory=free_port)
    url: str = ""
    running: ExitStack = field(default_factory=ExitStack)

    def start(self) -> None:
        client = ModelClient(self.server.url, "none")
        self.url = self.running.enter_context(
            running_room(client, SHOWS, show="unclaimed", port=self.port)
        )

    def stop(self) -> None:
        self.running.close()

    def restart(self) -> None:
        self.stop()
        self.start()


@pytest.fixture
def restarted(server: FakeEndpoint) -> Iterator[RestartedRoom]:
    room = RestartedRoom(server)
    room.start()
    yield room
    room.stop()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        yield context.new_page()


def expect_scene(stage: Stage, lines: list[str]) -> None:
    """Expect the lines on the page, in the browser's storage, and at the server."""
    expect(stage.lines()).to_have_count(len(lines))
    expect(stage.page.locator(".waiting")).to_be_hidden()
    assert stage.shown() == lines
    exported = stage.export("Plain text")
    for line in lines:
        assert line.partition("] ")[2] in exported


class TestRestart:
    """The room is started again while a page is open, which is not loaded anew."""

    @pytest.fixture
    def stage(self, restarted: RestartedRoom, page: Page) -> Stage:
        stage = Stage(page).come_in(restarted.url)
        stage.begin()
        stage.write("DOT", "Still here.")
        expect(stage.lines()).to_have_count(6)
        page.evaluate("window.loadedOnce = true")
        restarted.restart()
        return stage

    def test_a_line_is_added(self, stage: Stage) -> None:
        before = stage.shown()
        stage.write("FELIX", "Me too.")
        expect_scene(stage, [*before, "[FELIX] Me too."])
        assert stage.page.evaluate("window.loadedOnce")
        stage.button("Undo").click()
        expect_scene(stage, before)
        stage.button("Redo").click()
        stage.page.reload()
        expect_scene(stage, [*before, "[FELIX] Me too."])

    def test_a_line_is_edited(self, stage: Stage) -> None:
        before = stage.shown()
        stage.words(5).fill("Not here.")
        stage.words(5).press("Enter")
        expect_scene(stage, [*before[:5], "[DOT] Not here."])
        stage.page.reload()
        expect_scene(stage, [*before[:5], "[DOT] Not here."])

    def test_the_model_goes_on(self, stage: Stage, server: FakeEndpoint) -> None:
        before = stage.shown()
        stage.composer().fill("Shall we?")
        stage.proceed()
        assert stage.shown()[:7] == [*before, "[DOT] Shall we?"]
        expect(stage.lines()).to_have_count(15)
        asked = server.requests[-1]["messages"]
        assert "Still here. Shall we?" in asked[-1]["content"]
        assert "Premise: A telephone" in asked[0]["content"]

    def test_the_premise_is_changed(self, stage: Stage) -> None:
        premise = stage.page.get_by_label("Premise")
        premise.fill("Another one.")
        premise.blur()
        expect(stage.page.locator(".premise")).to_have_text("Another one.")
        expect(premise).to_have_value("Another one.")
        assert "= Another one.\n" in stage.export("Fountain")

    def test_the_scene_is_exported(self, stage: Stage) -> None:
        assert "Still here." in stage.export("Plain text")

    def test_the_next_request_is_shown(self, stage: Stage) -> None:
        stage.page.get_by_text("What the model is sent").click()
        stage.button("Show the next request").click()
        expect(stage.page.locator(".cm-content")).to_contain_text("Still here.")


@contextmanager
def lost_network(context: BrowserContext) -> Iterator[None]:
    """Let no request of a page through."""

    def abort(route: Route) -> None:
        route.abort("internetdisconnected")

    context.route("**/*", abort)
    try:
        yield
    finally:
        context.unroute("**/*", abort)


def test_lines_wait_for_the_network(room: str, page: Page, server: FakeEndpoint) -> None:
    del server
    stage = Stage(page).come_in(room)
    stage.begin()
    before = stage.shown()
    waiting = page.locator(".waiting li")
    with lost_network(page.context):
        stage.write("DOT", "One.")
        expect(waiting).to_have_count(1)
        stage.write("FELIX", "Two.")
        expect(waiting).to_have_text(["DOTOne.waiting", "FELIXTwo.waiting"])
        stage.words(0).fill("Changed.")
        stage.words(0).press("Enter")
        expect(page.locator(".waiting .hint")).to_contain_text("does not answer")
        stage.composer().fill("Half a li")
        expect(stage.words(0)).to_have_text("Changed.")
    expect(waiting).to_have_count(0)
    after = [f"{before[0].partition('] ')[0]}] Changed.", *before[1:]]
    expect_scene(stage, [*after, "[DOT] One.", "[FELIX] Two."])
    expect(stage.composer()).to_have_value("Half a li")


def test_an_answer_that_is_lost_adds_no_line_twice(
    room: str, page: Page, server: FakeEndpoint
) -> None:
    del server
    stage = Stage(page).come_in(room)
    stage.begin()
    before = stage.shown()
    # The server gets the line, but the page hears nothing of it, and is loaded anew by Gradio.
    page.route("**/queue/data**", lambda route: route.abort())
    with page.expect_event("load", timeout=30_000):
        stage.write("DOT", "One.")
    page.unroute("**/queue/data**")
    expect_scene(stage, [*before, "[DOT] One."])


def test_waiting_lines_survive_a_reload(restarted: RestartedRoom, page: Page) -> None:
    stage = Stage(page).come_in(restarted.url)
    stage.write("DOT", "Zero.")
    expect(stage.lines()).to_have_count(1)
    restarted.stop()
    stage.write("DOT", "One.")
    stage.write("FELIX", "Two.")
    expect(page.locator(".waiting li")).to_have_count(2)
    restarted.start()
    page.goto(restarted.url)
    expect_scene(stage, ["[DOT] Zero.", "[DOT] One.", "[FELIX] Two."])


def test_a_line_written_below_open_takes_stays(stage: Stage) -> None:
    stage.begin()
    before = stage.shown()
    stage.button("Takes").click()
    expect(stage.note()).to_have_text("Choose a take; the others stay as other versions.")
    stage.write("DOT", "My own.")
    expect(stage.lines()).to_have_count(6)
    stage.button("Choose take A").click()
    expect(stage.lines()).to_have_count(14)
    assert stage.shown()[:6] == [*before, "[DOT] My own."]
    stage.button("Undo").click()
    expect(stage.lines()).to_have_count(6)
    assert stage.shown() == [*before, "[DOT] My own."]
