"""Rewriting in a real browser: alternatives in the place of lines, and between two."""

from playwright.sync_api import Locator, expect

from tests.demo.conftest import Stage
from tests.fake_endpoint import FakeEndpoint, cut

SCORES = {"Best.": -1.0, "Good.": -2.0, "Bad.": -3.0}


def answer(server: FakeEndpoint, speaker: str, *words: str) -> None:
    """Have the server answer with these lines, and judge them by SCORES."""
    server.script.pieces, *server.script.later = [cut(f"[{speaker}] {each}\n") for each in words]
    server.script.score = lambda prompt: next(
        (score for word, score in SCORES.items() if word in prompt), -4.0
    )


def alternatives(stage: Stage) -> Locator:
    return stage.page.get_by_role("group", name="Alternatives")


def test_a_line_is_rewritten_in_place(stage: Stage, server: FakeEndpoint) -> None:
    page, group, keys = stage.page, alternatives(stage), stage.page.keyboard
    stage.begin()
    before = stage.shown()
    answer(server, "DOT", "Good.", "Best.", "Bad.", "Best.")
    stage.words(1).focus()
    keys.press("Alt+w")
    expect(page.get_by_role("dialog", name="Rewrite")).to_be_visible()
    keys.type("drier")
    keys.press("Enter")
    expect(stage.note()).to_contain_text("best first")
    expect(group.locator(".words")).to_have_text("Best.")
    expect(stage.words(1)).to_be_hidden()
    system = server.requests[0]["messages"][0]["content"]
    assert "on from it" not in system
    assert system.splitlines()[-3].endswith(" drier")

    expect(group.get_by_role("button", name="Keep")).to_be_focused()
    keys.press("ArrowRight")
    expect(group.locator(".flip span")).to_have_text("2 of 3")
    expect(group.locator(".words")).to_have_text("Good.")
    keys.press("ArrowLeft")
    keys.press("ArrowLeft")
    expect(stage.words(1)).to_be_visible()
    keys.press("Escape")
    expect(group).to_have_count(0)
    assert stage.shown() == before

    page.reload()
    expect(stage.lines()).to_have_count(5)
    answer(server, "DOT", "Good.", "Best.", "Bad.", "Best.")
    stage.do(1, "Rewrite")
    expect(page.get_by_label("How, if you like")).to_have_value("drier")
    stage.button("Write alternatives").click()
    expect(group.locator(".words")).to_have_text("Best.")
    stage.button("Keep").click()
    expect(group).to_have_count(0)
    expect(stage.words(1)).to_have_text("Best.")
    expect(stage.lines().nth(1).locator(".mark")).to_have_text("by the model")
    assert stage.shown() == [before[0], before[1].partition("] ")[0] + "] Best.", *before[2:]]
    stage.button("Undo").click()
    expect(stage.words(1)).to_have_text(before[1].partition("] ")[2])


def test_a_gap_is_filled_and_unranked_is_said(stage: Stage, server: FakeEndpoint) -> None:
    stage.begin()
    before = stage.shown()
    answer(server, "DOT", "Good.", "Best.", "Bad.", "Best.")
    server.script.score = None
    stage.do(1, "Fill in below")
    stage.button("Write alternatives").click()
    expect(stage.note()).to_contain_text("unranked: the server gives no log-probabilities")
    first = alternatives(stage).locator(".words").text_content()
    stage.button("Keep").click()
    expect(stage.lines()).to_have_count(6)
    assert stage.shown() == [*before[:2], f"[DOT] {first}", *before[2:]]
