"""Bookmarks, two versions side by side, and the model's memory, in a real browser."""

import re

from playwright.sync_api import expect

from tests.demo.conftest import SCENE, Stage
from tests.fake_endpoint import FakeEndpoint


def test_versions_are_named_and_compared(stage: Stage) -> None:
    page, rows = stage.page, stage.page.locator("#branches li")
    stage.begin()
    stage.button("Versions").click()
    page.get_by_label("Name this version").fill("The calm one")
    stage.button("Bookmark").click()
    expect(rows.locator("strong")).to_have_text("The calm one")
    page.keyboard.press("Escape")
    stage.words(1).fill("It is not ringing.")
    stage.words(1).press("Enter")
    stage.write("DOT", "Well.")
    expect(stage.lines()).to_have_count(6)
    page.reload()
    expect(stage.lines()).to_have_count(6)

    stage.button("Versions").click()
    named = rows.filter(has_text="The calm one")
    named.get_by_role("button", name="Compare").click()
    dialog = page.get_by_role("dialog", name="Two versions")
    expect(dialog.locator(".count")).to_have_text("2 lines differ.")
    changed = dialog.locator(".differs td")
    expect(changed).to_have_text(
        ["DOT It is ringing now.", "DOT It is not ringing.", "", "DOT Well."]
    )
    dialog.get_by_label("The version on the right").select_option("The calm one")
    expect(dialog.locator(".count")).to_have_text("No lines differ.")
    stage.button("Close").click()

    stage.button("Versions").click()
    named.get_by_role("button", name="The calm one").click()
    expect(stage.lines()).to_have_count(5)
    expect(stage.words(1)).to_have_text("It is ringing now.")
    stage.button("Versions").click()
    stage.button("Forget the name").click()
    expect(rows.locator("strong")).to_have_count(0)


def test_the_models_memory_has_a_mark(stage: Stage, server: FakeEndpoint) -> None:
    mark = stage.page.get_by_role("button", name="the model reads from here")
    stage.begin()
    expect(mark).to_have_count(0)
    stage.write("BEA", "Well.")
    stage.proceed()
    expect(mark).to_be_visible()
    below = stage.page.locator(".memory + .entry .words").text_content()
    mark.click()
    request = stage.page.get_by_label("The request")
    expect(request).to_have_value(re.compile(r'"role": "user"'))
    expect(request).to_have_value(re.compile(re.escape(f'"content": "[FELIX] {below}')))
    assert SCENE.splitlines()[-1] in stage.shown()
    assert len(server.requests) == 1
