"""Lines in a real browser: changed in place by mouse and by keys, and never HTML."""

import re

from playwright.sync_api import expect

from tests.demo.conftest import Stage
from tests.fake_endpoint import FakeEndpoint, cut


def test_nothing_that_is_written_runs(stage: Stage, server: FakeEndpoint) -> None:
    page = stage.page
    trap = "<script>window.hit=1</script><img src=x onerror='window.hit=1'>${window.hit=1}{{x}}"
    turned = "\u202eright to left\u202c \"quoted\" 'too' \u2066 & &amp;"
    stage.write("DOT", trap)
    expect(stage.lines()).to_have_count(1)
    stage.write("DOT", turned)
    expect(stage.lines()).to_have_count(2)
    page.get_by_label("Premise").fill(trap)
    page.get_by_label("Guests").fill("<script>window.hit=1</script>")
    page.get_by_label("Guests").blur()
    expect(stage.note()).to_contain_text("cannot be a character's name")
    page.get_by_label("Guests").fill("")
    page.get_by_label("Guests").blur()
    server.script.pieces = cut(f"[DOT] {trap} again\n[DOT] {'y' * 10_000}\n", 400)
    stage.button("Continue").click()
    expect(stage.lines()).to_have_count(4)
    expect(stage.button("Stop")).to_be_disabled()
    assert stage.shown()[:3] == [f"[DOT] {trap}", f"[DOT] {turned}", f"[DOT] {trap} again"]
    assert stage.shown()[3] == f"[DOT] {'y' * 10_000}"
    expect(page.locator(".premise")).to_have_text(trap)
    server.script.pieces = cut("[DOT] A <b onmouseover='window.hit=1'>bold</b> take.\n")
    stage.button("Takes").click()
    bold = "A <b onmouseover='window.hit=1'>bold</b> take."
    expect(page.locator(".take .words").first).to_have_text(bold)
    expect(stage.button("Stop")).to_be_disabled()
    page.locator(".scenes").click()
    expect(page.locator("#scenes li")).to_have_count(1)
    assert page.evaluate("window.hit") is None
    assert page.locator("#sheet script, #sheet img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_edits_on_the_page(stage: Stage) -> None:
    stage.write("DOT", "No.")
    stage.write("aunt ruth", "Yes.")
    expect(stage.lines()).to_have_count(2)
    name, words = stage.lines().nth(0).locator(".name"), stage.words(0)

    name.fill("(nobody)")
    name.press("Enter")
    expect(stage.note()).to_contain_text("cannot be a character's name")
    expect(name).to_have_text("DOT")

    words.fill("Never mind.")
    words.press("Escape")
    expect(stage.button("Redo")).to_be_disabled()
    stage.button("Undo").click()
    expect(words).to_have_text("No.")

    name.fill("june")
    name.press("Enter")
    expect(name).to_have_text("JUNE")
    words.fill("")
    words.press("Enter")
    expect(stage.lines()).to_have_count(1)
    assert stage.shown() == ["[AUNT RUTH] Yes."]
    stage.button("Undo").click()
    expect(stage.lines()).to_have_count(2)


def test_a_line_has_a_menu(stage: Stage, server: FakeEndpoint) -> None:
    stage.begin()
    first = stage.shown()
    stage.do(0, "Move down")
    expect(stage.words(0)).to_have_text("It is ringing now.")
    stage.do(1, "Delete")
    expect(stage.lines()).to_have_count(4)
    stage.do(0, "Insert a line below")
    stage.page.get_by_label("The new line", exact=True).fill("Hello?")
    stage.page.get_by_label("The new line", exact=True).press("Enter")
    expect(stage.lines()).to_have_count(5)
    assert stage.shown() == [first[1], "[DOT] Hello?", *first[2:]]
    expect(stage.lines().nth(1).locator(".mark")).to_have_text("by hand")

    stage.do(2, "Retake from here")
    stage.button("Replace them").click()
    expect(stage.note()).to_have_text("8 lines by unclaimed.")
    asked = server.requests[-1]["messages"][1]["content"]
    assert asked == "[DOT] It is ringing now. Hello?"
    assert stage.shown()[:2] == [first[1], "[DOT] Hello?"]
    expect(stage.lines()).to_have_count(10)
    for _ in range(4):
        stage.button("Undo").click()
    expect(stage.words(0)).to_have_text(first[0].partition("] ")[2])
    assert stage.shown() == first


def test_a_whole_scene_by_keys_alone(stage: Stage, server: FakeEndpoint) -> None:
    keys = stage.page.keyboard
    keys.press("?")
    expect(stage.page.get_by_role("dialog")).to_be_visible()
    expect(stage.page.locator("#help dd")).to_have_count(16)
    keys.press("Escape")
    expect(stage.page.get_by_role("dialog")).to_be_hidden()

    keys.press("Alt+n")
    keys.type("It is ringing.")
    keys.press("Control+Enter")
    expect(stage.note()).to_have_text("8 lines by unclaimed.")
    expect(stage.lines()).to_have_count(9)
    written = stage.shown()
    keys.press("Control+z")
    expect(stage.lines()).to_have_count(1)
    keys.press("Control+Shift+z")
    expect(stage.lines()).to_have_count(9)

    server.script.hang_after = 12
    keys.press("Alt+r")
    expect(stage.page.locator(".live .words")).to_contain_text("Should")
    keys.press("Escape")
    expect(stage.note()).to_have_text(re.compile("^Stopped"))
    server.script.hang_after = None
    keys.press("Control+z")
    expect(stage.lines()).to_have_count(9)
    assert stage.shown() == written

    stage.words(1).focus()
    keys.press("Alt+ArrowDown")
    expect(stage.words(2)).to_have_text("It does seem to be.")
    expect(stage.words(2)).to_be_focused()
    keys.press("Alt+Enter")
    keys.type("Or not.")
    keys.press("Enter")
    expect(stage.words(3)).to_have_text("Or not.")
    stage.words(3).focus()
    keys.press("Alt+Delete")
    expect(stage.lines()).to_have_count(9)
    stage.words(3).focus()
    keys.press("End")
    keys.type(" Ever.")
    keys.press("Enter")
    expect(stage.words(3)).to_have_text("Nobody runs before tea. Ever.")
