"""What a reload leaves as it was besides the words: the settings, and the place in a scene."""

from pathlib import Path

from playwright.sync_api import BrowserContext, expect

from tests.demo.conftest import Stage

TOP_LINE = """() => {
  const rows = [...document.querySelectorAll(".lines [data-index]")];
  const row = rows.find((each) => each.getBoundingClientRect().bottom > 0);
  return [Number(row.dataset.index), Math.round(row.getBoundingClientRect().top)];
}"""


def test_settings_survive_a_reload_and_start_a_new_tab(
    stage: Stage, context: BrowserContext, room: str
) -> None:
    def check(other: Stage) -> None:
        expect(other.page.get_by_label("Model", exact=True)).to_have_value("elaine")
        for label, value in (("Lines to write", "3"), ("Seed", "7"), ("Takes", "2")):
            expect(other.page.get_by_label(label, exact=True)).to_have_value(value)
        expect(other.page.get_by_label("Temperature")).to_have_value("0.35")
        expect(other.page.get_by_label("Speaks next")).to_have_value("ELAINE")
        silent = other.page.locator("#panel .block", has_text="Keeps silent").last
        expect(silent).to_contain_text("KRAMER")
        expect(other.page.get_by_label("Only the cast")).not_to_be_checked()
        expect(other.page.get_by_label("Blind")).not_to_be_checked()

    page = stage.page
    open_panels(stage)
    stage.choose("Speaks next", "FELIX")
    stage.choose("Model", "elaine")
    # The names of another show are nobody here.
    expect(page.get_by_label("Speaks next")).to_have_value("anyone")
    stage.choose("Speaks next", "ELAINE")
    expect(page.get_by_role("listbox")).to_have_count(0)
    stage.choose("Keeps silent", "KRAMER")
    page.keyboard.press("Escape")
    for label, value in (("Temperature", "0.35"), ("Seed", "7"), ("Takes", "2")):
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_label("Lines to write").fill("3")
    page.get_by_label("Only the cast").uncheck()
    page.get_by_label("Blind").uncheck()
    page.wait_for_function(
        "() => { const kept = JSON.parse(sessionStorage.getItem('nothing-gpt/settings'));"
        " return kept?.blind === false && kept.lines === 3 && kept.seed === '7'; }"
    )
    stage.come_in(room)
    open_panels(stage)
    check(stage)
    stage.button("Reconnect").click()
    expect(stage.note()).to_have_text("Ready.")
    check(stage)
    other = Stage(context.new_page()).come_in(room)
    open_panels(other)
    check(other)


def open_panels(stage: Stage) -> None:
    for name in ("Who speaks next", "Advanced", "Two models side by side"):
        stage.page.get_by_text(name).click()


def test_a_long_scene_opens_where_the_writer_was(stage: Stage, tmp_path: Path) -> None:
    page = stage.page
    lines = "\n\n".join(f"DOT: Line {number}, and a few words more." for number in range(200))
    file = tmp_path / "long.txt"
    file.write_text(lines, encoding="utf-8")
    with page.expect_file_chooser() as chooser:
        stage.button("Import").click()
    chooser.value.set_files(file)
    expect(stage.lines()).to_have_count(200)
    stage.words(90).focus()
    page.mouse.move(900, 400)
    page.mouse.wheel(0, 180)
    page.wait_for_function("() => localStorage.getItem(Object.keys(localStorage).find((key) =>"
                           " key.startsWith('nothing-gpt/place/')))?.includes('90')")  # fmt: skip
    before = page.evaluate(TOP_LINE)
    assert before[0] > 50
    page.reload()
    expect(stage.words(90)).to_be_focused()
    after = page.evaluate(TOP_LINE)
    assert after[0] == before[0]
    assert abs(after[1] - before[1]) <= 2

    page.locator(".scenes").click()
    page.get_by_role("button", name="New scene").click()
    expect(stage.lines()).to_have_count(0)
    assert page.evaluate("scrollY") == 0
    stage.write("DOT", "Another.")
    page.locator(".scenes").click()
    page.get_by_role("button", name="Open", exact=True).click()
    expect(stage.lines()).to_have_count(200)
    assert page.evaluate(TOP_LINE)[0] == before[0]
