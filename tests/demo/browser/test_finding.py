"""Find and replace, and a new name, in a real browser."""

import re

from playwright.sync_api import expect

from tests.demo.conftest import Stage


def test_a_text_is_found_and_replaced_and_a_character_renamed(stage: Stage) -> None:
    page = stage.page
    stage.write("DOT", "A suitcase. The Suitcase (old)!")
    stage.write("JUNE", "Dot, suitcases.")
    stage.write("DOT", "No.")
    expect(stage.lines()).to_have_count(3)
    page.keyboard.press("Control+Shift+h")
    dialog = page.get_by_role("dialog", name="Find and replace")
    page.keyboard.type("suitcase")
    expect(dialog.locator(".count")).to_have_text("3 places in 2 lines")
    dialog.get_by_label("Whole words").check()
    expect(dialog.locator(".count")).to_have_text("2 places in 1 line")
    dialog.get_by_role("button", name="Suitcase (old)").click()
    expect(stage.words(0)).to_be_focused()

    stage.button("Find").click()
    dialog.get_by_label("Replace by").fill("trunk")
    stage.button("Replace all").click()
    expect(stage.note()).to_have_text("Replaced in 2 places. Undo brings the old words back.")
    assert stage.shown()[0] == "[DOT] A trunk. The trunk (old)!"

    stage.button("Find").click()
    dialog.get_by_label("Character").select_option("DOT")
    dialog.get_by_label("New name").fill("aunt ruth")
    stage.button("Rename").click()
    expect(stage.note()).to_have_text(re.compile("^DOT is AUNT RUTH now"))
    renamed = ["[AUNT RUTH] A trunk. The trunk (old)!", "[JUNE] Aunt Ruth, suitcases."]
    assert stage.shown() == [*renamed, "[AUNT RUTH] No."]
    stage.button("Undo").click()
    expect(stage.words(0)).to_have_text("A suitcase. The Suitcase (old)!")
    assert stage.shown()[0].startswith("[AUNT RUTH]")
    page.reload()
    expect(stage.lines()).to_have_count(3)
    assert stage.shown()[2] == "[AUNT RUTH] No."
