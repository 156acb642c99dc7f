"""The screenplay page and its elements, in a real browser."""

from playwright.sync_api import expect

from tests.demo.conftest import Stage


def test_elements_are_chosen_and_stand_on_pages_to_print(stage: Stage) -> None:
    page = stage.page
    stage.write("DOT", "No.")
    stage.write("DOT", "softly")
    stage.write("JUNE", "Yes.")
    stage.write("stage direction", "Cut to:")
    expect(stage.lines()).to_have_count(4)
    dialog = page.get_by_role("dialog", name="What this line is")
    choices = [
        (1, "Direction to the speaker, in a speech", ".parenthetical"),
        (2, "Speech beside the one before, at the same time", ".dual"),
        (3, "Transition, such as CUT TO:", ".transition"),
    ]
    for index, label, kind in choices:
        stage.do(index, "What it is")
        dialog.get_by_label(label).check()
        dialog.get_by_role("button", name="Change").click()
        expect(page.locator(f".lines {kind}")).to_have_count(1)
    stage.words(1).fill("very softly")
    stage.words(1).press("Enter")
    expect(stage.lines().nth(1).locator(".mark")).to_have_text("by hand")
    fountain = stage.export("Fountain")
    assert "DOT\nNo.\n(very softly)\n\nJUNE ^\nYes.\n\n>Cut to:" in fountain

    stage.button("Export").click()
    stage.button("Screenplay pages, print …").click()
    pages = page.locator("#screenplay .paper pre")
    expect(pages).to_have_count(1)
    expect(page.locator("#screenplay .length")).to_have_text("1 page, about 6 s")
    lines = (pages.text_content() or "").split("\n")
    assert lines[0].split() == ["DOT", "JUNE"]
    assert lines[2].strip() == "(very softly)"
    assert lines[-1].strip() == "CUT TO:"
    width = pages.evaluate(
        """(pre) => {
            const range = document.createRange();
            range.setStart(pre.firstChild, 0);
            range.setEnd(pre.firstChild, 7);
            return range.getBoundingClientRect().width / 7;
        }"""
    )
    assert abs(width - 9.6) < 0.2  # ten characters an inch

    page.evaluate("() => { window.print = () => { window.printed = true; }; }")
    stage.button("Print, or save as PDF").click()
    page.wait_for_function("window.printed")
    page.emulate_media(media="print")
    expect(page.locator("#print .paper")).to_be_visible()
    expect(page.locator(".gradio-container").first).to_be_hidden()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    expect(page.locator("#print")).to_have_count(0)
    expect(page.locator(".gradio-container").first).to_be_visible()
