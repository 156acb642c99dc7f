"""What is in nobody's way: the keyboard, small windows, paper."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.demo.conftest import SCENE, Stage


def test_lines_are_reached_by_the_keyboard(stage: Stage) -> None:
    page, keys = stage.page, stage.page.keyboard
    keys.press("Tab")
    expect(page.get_by_role("link", name="Skip to the script")).to_be_focused()
    keys.press("Enter")
    expect(page.locator("[data-opening='0']")).to_be_focused()
    keys.press("Enter")
    expect(stage.lines()).to_have_count(5)
    page.get_by_role("link", name="Skip to the script").focus()
    keys.press("Enter")
    expect(stage.words(0)).to_be_focused()
    assert page.locator(".lines [tabindex='0']").count() == 3
    keys.press("Control+End")  # the words take two rows
    keys.press("ArrowDown")
    expect(stage.words(1)).to_be_focused()
    keys.press("ArrowDown")
    keys.press("ArrowUp")
    expect(stage.words(1)).to_be_focused()
    keys.press("Tab")
    keys.press("Tab")
    expect(stage.words(1)).not_to_be_focused()
    assert page.evaluate("!document.activeElement.closest('.lines')")
    keys.press("Shift+Tab")
    keys.press("Shift+Tab")
    expect(stage.words(1)).to_be_focused()
    expect(stage.words(1)).to_have_attribute("spellcheck", "true")


def test_enter_opens_the_next_line_and_escape_keeps_words(stage: Stage) -> None:
    stage.write("DOT", "One.")
    stage.write("FELIX", "Four.")
    expect(stage.lines()).to_have_count(2)
    keys = stage.page.keyboard
    stage.words(0).focus()
    keys.press("Alt+Enter")
    keys.type("Two.")
    keys.press("Enter")
    expect(stage.lines()).to_have_count(3)
    keys.type("Three.")
    keys.press("Escape")
    expect(stage.lines()).to_have_count(4)
    expect(stage.page.locator(".entry.draft")).to_have_count(0)
    words = [line.partition("] ")[2] for line in stage.shown()]
    assert words == ["One.", "Two.", "Three.", "Four."]
    stage.words(3).focus()
    keys.press("End")
    keys.type(" Five.")
    keys.press("Escape")
    expect(stage.lines().nth(3).locator(".mark")).to_have_text("by hand")
    stage.page.reload()
    expect(stage.words(3)).to_have_text("Four. Five.")


def test_names_that_look_mistyped_are_asked_about(stage: Stage) -> None:
    stage.write("felxi", "One.")
    question = stage.page.locator("#name-question")
    expect(question).to_contain_text("Is FELIX meant?")
    stage.page.keyboard.press("Escape")
    expect(stage.composer()).to_have_value("One.")
    stage.composer().press("Enter")
    question.get_by_role("button", name="FELIX", exact=True).click()
    expect(stage.lines()).to_have_count(1)
    stage.write("felxi", "Two.")
    question.get_by_role("button", name="a new character").click()
    expect(stage.lines()).to_have_count(2)
    stage.write("felxi", "Three.")
    expect(stage.lines()).to_have_count(3)
    assert stage.shown() == ["[FELIX] One.", "[FELXI] Two.", "[FELXI] Three."]
    stage.page.get_by_text("Who speaks next").click()
    stage.choose("Speaks next", "FELXI")


def test_a_pasted_dialogue_becomes_lines_under_the_scenes_own_name(stage: Stage) -> None:
    page = stage.page
    stage.composer().fill("FELIX\nWhy?\n\nDOT\nNo.")
    stage.composer().press("Enter")
    expect(stage.lines()).to_have_count(2)
    assert stage.shown() == ["[FELIX] Why?", "[DOT] No."]
    page.locator(".scenes").click()
    name = page.get_by_label("Name of the scene")
    name.fill("Lost: a hat")
    name.press("Enter")
    expect(page.locator("#scenes li small")).to_have_text(re.compile("· 2 lines · FELIX Why[?]$"))
    page.keyboard.press("Escape")
    stage.button("Export").click()
    with page.expect_download() as download:
        page.locator("#exports").get_by_text("Fountain").click()
    assert download.value.suggested_filename == "Lost-a-hat.fountain"
    assert "Title: Lost: a hat" in Path(download.value.path()).read_text(encoding="utf-8")


def test_lines_of_a_model_are_announced(stage: Stage) -> None:
    stage.begin()
    stage.proceed()
    log = stage.page.get_by_role("log", name="What the model writes")
    spoken = [line.removeprefix("[").replace("]", ":") for line in SCENE.splitlines()]
    expect(log.locator("p")).to_have_text(spoken)
    expect(stage.page.get_by_role("textbox", name="New line", exact=True)).to_be_visible()


def test_digits_choose_a_take_also_from_the_composer(stage: Stage) -> None:
    stage.begin()
    stage.composer().focus()
    stage.page.keyboard.press("Control+Shift+Enter")
    expect(stage.note()).to_have_text("Choose a take; the others stay as other versions.")
    stage.page.keyboard.press("2")
    expect(stage.lines()).to_have_count(13)
    expect(stage.composer()).to_have_value("")


def test_a_list_of_options_closes_when_tab_leaves_it(stage: Stage) -> None:
    ideas = stage.page.get_by_label("Ideas from the show")
    ideas.click()
    expect(stage.page.get_by_role("listbox")).to_be_visible()
    ideas.press("Tab")
    expect(stage.page.get_by_label("Setting")).to_be_focused()
    expect(stage.page.get_by_role("listbox")).to_have_count(0)
    # Gradio would open it again a moment later.
    stage.page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
    )
    expect(stage.page.get_by_role("listbox")).to_have_count(0)


def test_the_panel_scrolls_by_itself(stage: Stage) -> None:
    page = stage.page
    page.set_viewport_size({"width": 1280, "height": 720})
    for name in ("Who speaks next", "Advanced", "Two models side by side"):
        page.get_by_text(name).click()
    page.locator("#panel").hover()
    page.mouse.wheel(0, 5000)
    expect(page.get_by_text("What the model is sent")).to_be_in_viewport()
    assert page.evaluate("document.querySelector('#panel').scrollTop") > 0


@pytest.mark.parametrize(("width", "height"), [(390, 844), (844, 390)])
def test_a_phone_has_room_for_the_script(stage: Stage, width: int, height: int) -> None:
    page = stage.page
    page.set_viewport_size({"width": width, "height": height})
    stage.begin()
    dock = page.locator("#dock").bounding_box()
    assert dock
    assert dock["height"] < height / 3
    expect(stage.button("Continue")).to_be_in_viewport()
    stage.proceed()
    if width < height:
        order = ("#premise", "#sheet", "#setting")
        boxes = [page.locator(place).bounding_box() for place in order]
        places = [box["y"] for box in boxes if box]
        assert places == sorted(places)
        assert len(places) == 3
        sizes = page.locator(":is(input, textarea, .entry .words):visible").evaluate_all(
            "fields => fields.map(field => parseFloat(getComputedStyle(field).fontSize))"
        )
        assert min(sizes) >= 16


def test_the_script_alone_is_printed(stage: Stage) -> None:
    stage.begin()
    stage.composer().fill("\n".join(f"{name}: No." for name in ("FELIX", "DOT") * 7))
    stage.composer().press("Enter")
    expect(stage.lines()).to_have_count(19)
    expect(stage.page.locator(".memory")).to_be_visible()
    stage.page.emulate_media(media="print")
    for hidden in (
        "#panel",
        "#dock",
        ".bar",
        ".memory",
        ".lines .more >> nth=0",
        "footer[aria-label]",
    ):
        expect(stage.page.locator(hidden)).to_be_hidden()
    expect(stage.words(4)).to_be_visible()
    expect(stage.page.locator(".premise")).to_be_visible()
