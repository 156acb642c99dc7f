"""What goes wrong, in words that a writer understands; the scene is never lost."""

import itertools
import queue
import threading
import time

import pytest
from playwright.sync_api import Browser, BrowserContext, Route, expect

from demo.generation.client import ModelClient
from demo.handlers.connection import ConnectionHandlers
from demo.launch import running_room
from demo.ui.forms import FieldValues
from demo.ui.view import Updates
from tests.demo.conftest import MODELS, SCENE, SHOWS, Stage
from tests.fake_endpoint import FakeEndpoint, Script, cut, fake_endpoint, free_port


def test_the_server_dies_in_the_middle_of_a_line_and_comes_back(
    stage: Stage, server: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.generation.client.AWAKE", 0.0)
    stage.begin()
    server.script.die_after = 25
    stage.button("Continue").click()
    expect(stage.note()).to_contain_text("2 lines kept. The server at")
    expect(stage.note()).to_contain_text("broke off in the middle")
    expect(stage.lines()).to_have_count(7)

    server.script.status = 503
    stage.button("Continue").click()
    expect(stage.note()).to_contain_text("Waiting for the server, 1 s so far.")
    server.script.pieces = cut("[MR. PIKE] I wish to be told.\n[JUNE] Then sit down.\n")
    server.script.status, server.script.die_after = 200, None
    expect(stage.note()).to_contain_text("ended the scene after 2 lines of 8")
    expect(stage.lines()).to_have_count(9)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"key": "another"}, "refused the key (401)"),
        ({"status": 429}, "busy (429); wait a little and try again"),
        ({"models": [{"id": "other"}]}, "has no model 'unclaimed'; choose another one"),
        ({"pieces": [], "raw": b"data: {not json\n\n"}, "not OpenAI's protocol"),
    ],
)
def test_a_fault_is_said_and_the_scene_stays(
    stage: Stage, server: FakeEndpoint, fault: dict[str, object], said: str
) -> None:
    stage.write("DOT", "No.")
    expect(stage.lines()).to_have_count(1)
    for name, value in fault.items():
        setattr(server.script, name, value)
    stage.button("Continue").click()
    expect(stage.note()).to_contain_text(said)
    assert stage.shown() == ["[DOT] No."]
    expect(stage.button("Continue")).to_be_enabled()
    server.script = Script(models=MODELS, pieces=cut(SCENE))
    stage.proceed()


def test_a_server_that_falls_silent(browser: Browser, server: FakeEndpoint) -> None:
    client = ModelClient(server.url, "none", timeout=1)
    with (
        running_room(client, SHOWS, show="unclaimed", port=free_port()) as url,
        browser.new_context() as context,
    ):
        stage = Stage(context.new_page()).come_in(url)
        stage.begin()
        server.script.hang_after = 32
        stage.button("Continue").click()
        expect(stage.note()).to_contain_text("3 lines kept.")
        expect(stage.note()).to_contain_text("has not said a word for 1 seconds; try again")
        expect(stage.lines()).to_have_count(8)


def test_the_answers_at_the_opening_are_shown_in_their_order(
    context: BrowserContext, server: FakeEndpoint, room: str
) -> None:
    """Gradio applies an answer that comes before the id of its event only with that id."""
    del server
    page = context.new_page()
    joined: list[str] = []

    def hold_first(route: Route) -> None:
        joined.append(route.request.url)
        response = route.fetch()
        if len(joined) == 1:
            page.wait_for_timeout(1000)
        route.fulfill(response=response)

    page.route("**/queue/join*", hold_first)
    Stage(page).come_in(room)
    assert len(joined) == 2


def test_a_list_of_models_that_comes_late_leaves_the_newer_message(
    stage: Stage, server: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer who continues at once has an answer before the page's opening has ended."""
    calls, connect = itertools.count(1), ConnectionHandlers.connect
    is_asked, is_written = threading.Event(), threading.Event()
    messages: queue.Queue[str] = queue.Queue()

    def hold_second() -> None:  # the first only asks whether the server is awake
        if next(calls) == 2:
            is_asked.set()
            assert is_written.wait(60)

    async def watch(self: ConnectionHandlers, values: FieldValues) -> Updates:
        updates = await connect(self, values)
        messages.put(self.context.read_tab(values).session.status.text)
        return updates

    stage.begin()
    monkeypatch.setattr(ConnectionHandlers, "connect", watch)
    server.script.before_models = hold_second
    stage.page.reload()
    expect(stage.lines()).to_have_count(5)
    assert is_asked.wait(60)
    stage.proceed()
    is_written.set()
    assert [messages.get(timeout=60) for _ in range(2)] == ["Ready.", "8 lines by unclaimed."]
    expect(stage.note()).to_have_text("8 lines by unclaimed.")


def test_the_server_is_asleep_when_the_page_opens(
    stage: Stage, server: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.generation.client.AWAKE", 0.0)
    server.script.awake_at = time.monotonic() + 4
    stage.page.reload()
    expect(stage.note()).to_contain_text("s so far. A GPU that was asleep is starting")
    expect(stage.note()).to_have_text("Ready.")


def test_waiting_for_a_sleeping_server_can_be_stopped(stage: Stage, server: FakeEndpoint) -> None:
    stage.begin()
    server.script.awake_at = time.monotonic() + 3600
    for name in ("Reconnect", "Continue"):
        stage.button(name).click()
        expect(stage.note()).to_contain_text("Waiting for the server")
        stage.button("Stop").click()
        expect(stage.note()).to_have_text("Stopped.")
        expect(stage.button("Stop")).to_be_disabled()
    server.script.awake_at = 0
    stage.proceed()


def test_a_server_that_comes_after_the_room(browser: Browser) -> None:
    port = free_port()
    client = ModelClient(f"http://127.0.0.1:{port}/v1", "none")
    with (
        running_room(client, SHOWS, show="unclaimed", port=free_port()) as url,
        browser.new_context() as context,
    ):
        stage = Stage(context.new_page())
        stage.page.goto(url)
        expect(stage.note()).to_contain_text("cannot be reached; start it")
        stage.begin()
        with fake_endpoint(Script(models=MODELS, pieces=cut(SCENE)), port=port):
            stage.proceed()
            stage.button("Reconnect").click()
            expect(stage.note()).to_have_text("Ready.")
        expect(stage.lines()).to_have_count(13)
