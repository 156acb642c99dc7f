"""Scenes in a real browser: kept, several, in two tabs, brought in and taken away."""

import re
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, expect

from demo.generation.client import ModelClient
from demo.launch import running_room
from tests.demo.conftest import SHOWS, Stage
from tests.fake_endpoint import FakeEndpoint, free_port


def test_a_scene_survives_a_reload_in_the_middle_of_a_line(
    stage: Stage, server: FakeEndpoint, room: str
) -> None:
    stage.begin()
    server.script.hang_after = 32
    stage.button("Continue").click()
    expect(stage.page.locator(".live .words")).to_contain_text("Let it be")
    before = stage.shown()
    assert len(before) == 8
    stage.come_in(room)
    assert server.disconnected.wait(5)
    expect(stage.lines()).to_have_count(8)
    assert stage.shown() == before
    expect(stage.page.get_by_label("Premise")).to_have_value(re.compile("A telephone"))

    server.script.hang_after = None
    stage.button("Undo").click()
    expect(stage.lines()).to_have_count(5)
    stage.button("Redo").click()
    expect(stage.lines()).to_have_count(8)
    stage.button("Retake").click()
    expect(stage.lines()).to_have_count(13)


def test_a_scene_survives_that_the_room_is_started_again(
    browser: Browser, server: FakeEndpoint
) -> None:
    client, port = ModelClient(server.url, "none"), free_port()
    with browser.new_context() as context:
        with running_room(client, SHOWS, show="unclaimed", port=port) as url:
            stage = Stage(context.new_page()).come_in(url)
            stage.begin()
            stage.write("DOT", "Still here.")
            expect(stage.lines()).to_have_count(6)
        with running_room(client, SHOWS, show="unclaimed", port=port) as url:
            stage.come_in(url)
            expect(stage.lines()).to_have_count(6)
            expect(stage.words(5)).to_have_text("Still here.")


def test_two_tabs_do_not_destroy_each_others_work(
    stage: Stage, context: BrowserContext, room: str
) -> None:
    stage.write("DOT", "One.")
    expect(stage.page.locator(".scenes")).to_have_text("One.")
    stage.page.wait_for_function("Object.keys(localStorage).join().includes('/scene/')")
    other = Stage(context.new_page()).come_in(room)
    expect(other.words(0)).to_have_text("One.")
    other.write("BEA", "Two.")
    expect(other.lines()).to_have_count(2)
    other.page.wait_for_function("Object.values(localStorage).join().includes('Two.')")
    stage.write("FELIX", "Three.")
    expect(stage.lines()).to_have_count(2)
    message = stage.page.locator("#sheet .message")
    expect(message).to_contain_text("yours goes on as a copy beside it")
    assert stage.shown() == ["[DOT] One.", "[FELIX] Three."]
    assert other.shown() == ["[DOT] One.", "[BEA] Two."]
    other.page.locator(".scenes").click()
    expect(other.page.locator("#scenes li")).to_have_count(2)
    for each in (stage, other):
        shown = each.shown()
        each.come_in(room)
        expect(each.lines()).to_have_count(2)
        assert each.shown() == shown


def test_several_scenes_are_begun_named_opened_and_deleted(stage: Stage, room: str) -> None:
    page = stage.page
    stage.begin()
    page.locator(".scenes").click()
    page.get_by_label("Name of the scene").fill("The telephone")
    page.get_by_label("Name of the scene").press("Enter")
    expect(page.locator(".scenes")).to_have_text("The telephone")
    page.get_by_role("button", name="New scene").click()
    expect(stage.lines()).to_have_count(0)
    expect(page.locator(".openings")).to_be_visible()
    expect(page.get_by_label("Premise")).to_have_value("")
    stage.write("DOT", "Another.")
    expect(stage.lines()).to_have_count(1)

    page.locator(".scenes").click()
    expect(page.locator("#scenes li")).to_have_count(2)
    page.get_by_role("button", name="Open", exact=True).click()
    expect(stage.lines()).to_have_count(5)
    stage.come_in(room)
    expect(stage.lines()).to_have_count(5)
    expect(page.locator(".scenes")).to_have_text("The telephone")

    page.locator(".scenes").click()
    gone = page.get_by_role("button", name="Delete Another.")
    gone.click()
    gone.click()
    expect(page.locator("#scenes li")).to_have_count(1)


def test_scenes_are_taken_away_and_brought_back(stage: Stage, tmp_path: Path) -> None:
    stage.begin()
    stage.proceed()
    written = stage.shown()
    for name, ending in (("JSON", "json"), ("Fountain", "fountain")):
        file = tmp_path / f"scene.{ending}"
        file.write_text(stage.export(name), encoding="utf-8")
        with stage.page.expect_file_chooser() as chooser:
            stage.button("Import").click()
        chooser.value.set_files(file)
        expect(stage.note()).to_contain_text(f"scene.{ending}: 13 lines.")
        expect(stage.lines()).to_have_count(13)
        assert stage.shown() == written
        mark = "by the model" if ending == "json" else "by hand"
        expect(stage.lines().nth(12).locator(".mark")).to_contain_text(mark)

    file = tmp_path / "picture.json"
    file.write_bytes(b"\x89PNG\x00")
    with stage.page.expect_file_chooser() as chooser:
        stage.button("Import").click()
    chooser.value.set_files(file)
    expect(stage.page.locator(".note.problem")).to_have_text(
        "This JSON file cannot be read: it is no text; is it the right one?"
    )
    expect(stage.lines()).to_have_count(13)
    assert stage.shown() == written


def test_a_browser_without_room_says_so_and_the_scene_stays_on_the_page(stage: Stage) -> None:
    stage.page.evaluate(
        "() => { Storage.prototype.setItem = () => { throw new DOMException('full') } }"
    )
    stage.write("DOT", "One.")
    expect(stage.page.locator("#sheet .message")).to_contain_text("no room left to keep the scene")
    assert stage.shown() == ["[DOT] One."]


def test_a_scene_goes_to_somebody_else_as_a_link(
    stage: Stage, browser: Browser, context: BrowserContext, room: str
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    stage.begin()
    stage.write("DOT", "<b>ما هذا</b> \U0001f9f3")
    stage.proceed()
    written = stage.shown()
    stage.button("Export").click()
    stage.button("Copy a link").click()
    expect(stage.page.locator("#sheet .message")).to_contain_text("The link is copied.")
    link = stage.page.evaluate("() => navigator.clipboard.readText()")
    assert link.startswith(f"{room}#scene=")

    with browser.new_context() as elsewhere:
        other = Stage(elsewhere.new_page()).come_in(link)
        for _ in range(2):  # the copy is kept, and a reload makes no second one
            expect(other.lines()).to_have_count(14)
            assert other.shown() == written
            expect(other.lines().nth(13).locator(".mark")).to_contain_text("by the model")
            assert "#" not in other.page.url
            other.page.reload()
        other.page.locator(".scenes").click()
        expect(other.page.locator("#scenes li")).to_have_count(1)

    for broken in (link[:-40], f"{room}#scene=%%%", f"{room}#scene=e30"):
        with browser.new_context() as elsewhere:
            page = elsewhere.new_page()
            page.goto(broken)
            expect(page.locator("#sheet .message")).to_contain_text("That link holds no scene")
            expect(page.locator(".blank .hint")).to_be_visible()
