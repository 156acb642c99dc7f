"""No word that was typed is lost: the room restarts, the network is gone, the page is closed."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from demo.generation.client import ModelClient
from demo.launch import running_room
from tests.demo.conftest import SHOWS, Stage
from tests.fake_endpoint import FakeEndpoint, cut, free_port


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
    expect(stage.page.locator("section.waiting")).to_be_hidden()
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
        expect(stage.page.get_by_label("The request")).to_have_value(re.compile("Still here[.]"))


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


def test_actions_that_wait_fit_each_other(room: str, page: Page, server: FakeEndpoint) -> None:
    del server
    stage = Stage(page).come_in(room)
    stage.begin()
    before = stage.shown()
    with lost_network(page.context):
        stage.do(0, "Insert a line below")
        page.keyboard.type("Between.")
        page.keyboard.press("Enter")
        expect(page.locator(".waiting li")).to_have_count(1)
        words = stage.words(4)
        words.fill("Once.")
        words.press("Enter")
        words.click()
        words.press("End")
        words.press_sequentially(" Twi")
    # Gradio loads the page anew, and the half-made edit is offered again.
    expect(stage.words(5)).to_have_text("Once. Twi")
    page.keyboard.type("ce.")
    page.keyboard.press("Enter")
    name = before[4].partition("] ")[0]
    inserted = f"{before[0].partition('] ')[0]}] Between."
    expect(stage.words(5)).to_have_text("Once. Twice.")
    expect_scene(stage, [before[0], inserted, *before[1:4], f"{name}] Once. Twice."])


def test_an_answer_that_is_lost_adds_no_line_twice(
    room: str, page: Page, server: FakeEndpoint
) -> None:
    del server
    stage = Stage(page).come_in(room)
    stage.begin()
    before = stage.shown()
    # The server gets the line, but the page hears nothing of it, and is loaded anew by Gradio.
    page.route("**/queue/data**", lambda route: route.abort())
    with page.expect_event("load"):
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


def test_an_import_waits_for_the_network(
    room: str, page: Page, server: FakeEndpoint, tmp_path: Path
) -> None:
    del server
    stage = Stage(page).come_in(room)
    stage.write("DOT", "Zero.")
    expect(stage.lines()).to_have_count(1)
    file = tmp_path / "Night shift.txt"
    file.write_text("DOT: One.\n\nFELIX: Two.\n", encoding="utf-8")
    with lost_network(page.context):
        page.locator(".script-file").set_input_files(file)
        page.wait_for_function("Object.values(localStorage).join().includes('FELIX: Two')")
    expect_scene(stage, ["[DOT] One.", "[FELIX] Two."])
    expect(page.locator(".scenes")).to_have_text("Night shift")


def test_a_scene_that_is_handed_over_twice_keeps_what_came_between(stage: Stage) -> None:
    page = stage.page
    hellos = []
    page.on(
        "request",
        lambda each: hellos.append(each) if '"journal"' in (each.post_data or "") else None,
    )
    page.reload()
    stage.write("DOT", "One.")
    expect(stage.lines()).to_have_count(1)
    # The network was slow, and the page has handed its scene over once more.
    page.request.post(hellos[-1].url, data=hellos[-1].post_data_json)
    stage.write("FELIX", "Two.")
    expect_scene(stage, ["[DOT] One.", "[FELIX] Two."])


def test_a_retake_finds_its_line_when_lines_above_it_go(
    stage: Stage, server: FakeEndpoint
) -> None:
    stage.begin()
    stage.proceed()
    kept = stage.shown()[1:8]
    server.script.pieces = cut("[JUNE] Tea.\n")
    # All in one moment, without an answer of the server between them.
    stage.page.evaluate(
        """() => {
            for (const [index, action] of [[0, "delete"], [8, "retake"]]) {
                document.querySelector(`.lines [data-index="${index}"] .more`).click();
                document.querySelector(`.menu [data-action="${action}"]`).click();
            }
        }"""
    )
    expect(stage.note()).to_contain_text("ended the scene after 1 line of 8")
    assert stage.shown() == [*kept, "[JUNE] Tea."]


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


class TestDrafts:
    """What was half typed when the page was loaded anew."""

    def test_a_line_in_the_composer(self, stage: Stage) -> None:
        stage.write("FELIX", "One.")
        expect(stage.lines()).to_have_count(1)
        stage.page.get_by_label("Who", exact=True).fill("JUNE")
        stage.page.get_by_label("Who", exact=True).press("Enter")
        stage.composer().press_sequentially("Half a li")
        stage.page.reload()
        expect(stage.composer()).to_have_value("Half a li")
        expect(stage.page.get_by_label("Who", exact=True)).to_have_value("JUNE")
        stage.composer().press("End")
        stage.composer().press_sequentially("ne.")
        stage.composer().press("Enter")
        expect_scene(stage, ["[FELIX] One.", "[JUNE] Half a line."])
        stage.page.reload()
        expect(stage.lines()).to_have_count(2)
        expect(stage.composer()).to_have_value("")

    def test_a_change_of_a_line(self, stage: Stage) -> None:
        stage.write("DOT", "One.")
        expect(stage.lines()).to_have_count(1)
        stage.words(0).click()
        stage.words(0).press("End")
        stage.words(0).press_sequentially(" And tw")
        stage.page.reload()
        expect(stage.words(0)).to_have_text("One. And tw")
        expect(stage.words(0)).to_be_focused()
        stage.page.keyboard.type("o.")
        stage.page.keyboard.press("Enter")
        expect(stage.words(0)).to_have_text("One. And two.")
        expect_scene(stage, ["[DOT] One. And two."])
        stage.page.reload()
        expect_scene(stage, ["[DOT] One. And two."])

    def test_a_new_line_between_two(self, stage: Stage) -> None:
        stage.write("DOT", "One.")
        stage.write("DOT", "Three.")
        expect(stage.lines()).to_have_count(2)
        stage.do(0, "Insert a line below")
        stage.page.keyboard.type("Tw")
        stage.page.reload()
        expect(stage.page.get_by_label("The new line", exact=True)).to_have_text("Tw")
        stage.page.keyboard.type("o.")
        stage.page.keyboard.press("Enter")
        expect(stage.lines()).to_have_count(3)
        expect_scene(stage, ["[DOT] One.", "[DOT] Two.", "[DOT] Three."])

    def test_a_premise(self, stage: Stage) -> None:
        stage.begin()
        premise = stage.page.get_by_label("Premise")
        premise.fill("Half a pre")
        stage.page.reload()
        expect(premise).to_have_value("Half a pre")
        expect(stage.page.locator(".premise")).to_have_text("Half a pre")
        expect(stage.lines()).to_have_count(5)


def test_a_refused_change_stays_on_the_page(stage: Stage) -> None:
    stage.write("DOT", "One.")
    expect(stage.lines()).to_have_count(1)
    stage.page.get_by_label("Guests").fill("<b>")
    stage.page.get_by_label("Guests").blur()
    expect(stage.note()).to_contain_text("cannot be a character's name")
    stage.composer().fill("Two.")
    stage.composer().press("Enter")
    expect(stage.composer()).to_have_value("Two.")
    expect(stage.lines()).to_have_count(1)


def test_words_typed_into_a_line_while_the_model_writes_are_kept(
    stage: Stage, server: FakeEndpoint
) -> None:
    stage.write("DOT", "One.")
    expect(stage.lines()).to_have_count(1)
    words = stage.words(0)
    words.click()
    words.press("End")
    server.script.hang_after = 32
    stage.page.keyboard.press("Control+Enter")
    expect(stage.lines()).to_have_count(4)
    words.click()
    words.press("End")
    words.press_sequentially(" And two.")
    words.press("Enter")
    expect(stage.lines().nth(0).locator(".mark")).to_have_text("by hand")
    expect(words).to_have_text("One. And two.")
    stage.button("Stop").click()
    expect(stage.note()).to_contain_text("Stopped.")
    assert stage.shown()[0] == "[DOT] One. And two."
    expect(stage.lines()).to_have_count(4)
    assert "One. And two." in stage.export("Plain text")


def test_the_newest_fields_win(stage: Stage) -> None:
    stage.begin()
    page = stage.page
    premise = page.get_by_label("Premise")
    premise.focus()
    # All in one moment, without an answer of the server between them.
    page.evaluate(
        """() => {
            const field = document.querySelector("#premise textarea");
            field.value = "Newest.";
            field.dispatchEvent(new Event("input", {bubbles: true}));
            field.blur();
            document.querySelectorAll("#present input")[3].click();
            document.querySelectorAll("#present input")[4].click();
        }"""
    )
    stage.choose("Model", "pocket-unclaimed")
    expect(page.locator(".status")).to_contain_text("pocket-unclaimed")
    expect(page.locator("section.waiting")).to_be_hidden()
    expect(premise).to_have_value("Newest.")
    checked = page.locator("#present label:has(input:checked)")
    names = checked.all_inner_texts()
    assert "= Newest.\n" in stage.export("Fountain")
    page.reload()
    expect(premise).to_have_value("Newest.")
    expect(checked).to_have_text(names)


def test_nothing_is_replaced_silently(stage: Stage) -> None:
    stage.begin()
    stage.proceed()
    stage.words(12).fill("By me.")
    stage.words(12).press("Enter")
    expect(stage.lines().nth(12).locator(".mark")).to_contain_text("edited")
    before = stage.shown()
    dialog = stage.page.locator("#loss")

    stage.do(2, "Retake from here")
    expect(dialog).to_contain_text("New lines will replace 11 lines, 4 of them written or changed")
    expect(dialog).to_contain_text("They are kept as a version")
    dialog.get_by_role("button", name="Cancel").click()
    assert stage.shown() == before
    stage.do(2, "Retake from here")
    dialog.get_by_role("button", name="Replace them").click()
    expect(stage.note()).to_have_text("8 lines by unclaimed.")
    expect(stage.lines()).to_have_count(10)
    stage.button("Undo").click()
    expect(stage.lines()).to_have_count(13)
    assert stage.shown() == before

    stage.button("Surprise me").click()
    expect(dialog).to_contain_text("A new beginning replaces 13 lines, 6 of them written or")
    dialog.get_by_role("button", name="Replace them").click()
    expect(stage.lines()).not_to_have_count(13)
    stage.button("Undo").click()
    expect(stage.lines()).to_have_count(13)
    assert stage.shown() == before


def test_a_part_of_the_last_continuation_is_retaken_without_a_question(
    stage: Stage, server: FakeEndpoint
) -> None:
    stage.begin()
    stage.proceed()
    kept = stage.shown()[:8]
    server.script.pieces = cut("[JUNE] Tea.\n[DOT] Then sit down.\n")
    stage.do(8, "Retake from here")
    expect(stage.lines()).to_have_count(10)
    assert stage.shown() == [*kept, "[JUNE] Tea.", "[DOT] Then sit down."]
