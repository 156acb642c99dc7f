"""The room in a real browser, as a person uses it: writing together with a model."""

import asyncio
import re
from typing import Any

import gradio as gr
import pytest
from playwright.sync_api import Browser, expect

from demo.generation.client import ModelClient
from demo.handlers.editing import EditingHandlers
from demo.launch import running_room
from demo.ui.forms import FieldValues
from demo.ui.gradio_patch import read_event
from tests.demo.conftest import SCENE, SHOWS, Stage
from tests.fake_endpoint import FakeEndpoint, cut, free_port


def test_a_first_visit(stage: Stage, server: FakeEndpoint) -> None:
    page = stage.page
    expect(page.locator("h1")).to_have_text("Unclaimed")
    expect(page.get_by_label("Model", exact=True)).to_have_value("unclaimed")
    status = page.locator(".status")
    expect(status).to_have_text("unclaimed, adapter on pocket-unclaimed")
    expect(status.locator("span").first).to_have_attribute(
        "title", re.compile("1.186 bits a byte")
    )
    expect(stage.button("Undo")).to_be_disabled()

    stage.begin()
    premise = page.get_by_label("Premise").input_value()
    assert premise == SHOWS["unclaimed"].prompt.openings[0].premise

    stage.write("DOT", "I lost a suitcase once.")
    expect(stage.lines()).to_have_count(6)
    expect(stage.composer()).to_have_value("")
    beginning = stage.shown()
    assert beginning[-1] == "[DOT] I lost a suitcase once."

    server.script.hang_after = 32
    stage.button("Continue").click()
    expect(page.locator(".live .words")).to_contain_text("Let it be")
    expect(stage.button("Continue")).to_be_disabled()
    stage.button("Stop").click()
    expect(stage.note()).to_have_text("Stopped. 3 lines kept.")
    assert server.disconnected.wait(5)
    expect(page.locator(".live")).to_have_count(0)
    first = stage.shown()
    assert first[6:] == SCENE.splitlines()[:3]

    server.script.hang_after = None
    server.script.pieces = cut("[JUNE] Interesting.\n[DOT] No.\n")
    stage.button("Retake").click()
    expect(stage.note()).to_have_text(re.compile("ended the scene after 2 lines of 8"))
    assert stage.shown() == [*beginning, "[JUNE] Interesting.", "[DOT] No."]
    expect(page.locator(".status")).to_contain_text("tokens/s")

    stage.button("Undo").click()
    expect(stage.lines()).to_have_count(9)
    assert stage.shown() == first
    stage.button("Redo").click()
    expect(stage.lines()).to_have_count(8)

    stage.words(6).fill("Very interesting.")
    stage.words(6).press("Enter")
    expect(stage.lines().nth(6).locator(".mark")).to_have_text("edited after the model")
    expect(stage.lines().nth(7).locator(".mark")).to_have_text("by the model")
    expect(stage.lines().nth(0).locator(".mark")).to_have_text("by hand")
    assert "Very interesting." in stage.export("Plain text")
    assert f"= {premise}\n" in stage.export("Fountain")

    asked = server.requests[-1]
    assert asked["model"] == "unclaimed"
    assert f"Premise: {premise}" in asked["messages"][0]["content"]
    assert asked["messages"][1]["content"].splitlines()[-1] == (
        "[DOT] It is for you. I lost a suitcase once."
    )
    assert server.requests[0]["seed"] != asked["seed"]


def test_an_edit_that_is_left_by_clicking_continue_counts(stage: Stage) -> None:
    stage.write("DOT", "No.")
    expect(stage.lines()).to_have_count(1)
    stage.words(0).fill("Maybe.")
    stage.proceed()
    assert stage.shown()[:2] == ["[DOT] Maybe.", "[DOT] It does seem to be."]


def test_a_drawing_in_the_middle_of_an_edit_does_not_take_the_words_away(
    browser: Browser, server: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = asyncio.Event()
    apply = EditingHandlers.apply_page_action

    async def apply_when_drawn(
        self: EditingHandlers, event: gr.EventData, values: FieldValues
    ) -> dict[Any, Any]:
        if read_event(event)["deed"] == "direct":
            await drawn.wait()
        return await apply(self, event, values)

    monkeypatch.setattr(EditingHandlers, "apply_page_action", apply_when_drawn)
    client = ModelClient(server.url, "none")
    with (
        running_room(client, SHOWS, show="unclaimed", port=free_port()) as url,
        browser.new_context() as context,
    ):
        stage = Stage(context.new_page()).come_in(url)
        stage.write("DOT", "No.")
        expect(stage.lines()).to_have_count(1)
        stage.page.get_by_label("Premise").fill("Tea.")
        words = stage.words(0)
        words.click()
        words.press("End")
        words.press_sequentially(" Nev")
        drawn.set()
        expect(stage.page.locator(".premise")).to_have_text("Tea.")
        words.press_sequentially("er.")
        words.press("Enter")
        expect(stage.page.locator(".note")).to_have_text("")
        expect(words).to_have_text("No. Never.")
        assert "No. Never." in stage.export("Plain text")


def test_continue_takes_the_composed_line_along(stage: Stage, server: FakeEndpoint) -> None:
    stage.composer().fill("It is ringing.")
    stage.page.get_by_label("Lines to write").fill("2")
    stage.proceed("2 lines by unclaimed.")
    expect(stage.composer()).to_have_value("")
    assert server.requests[0]["messages"][1]["content"] == "[DOT] It is ringing."


def test_a_line_that_is_sent_twice_is_added_once(stage: Stage, server: FakeEndpoint) -> None:
    stage.composer().fill("It is ringing.")
    stage.page.evaluate(
        """() => {
            const enter = new KeyboardEvent("keypress", {key: "Enter", bubbles: true});
            document.querySelector("#compose textarea").dispatchEvent(enter);
            document.querySelector("#continue").click();
        }"""
    )
    expect(stage.note()).to_have_text("8 lines by unclaimed.")
    assert server.requests[0]["messages"][1]["content"] == "[DOT] It is ringing."
    stage.write("DOT", "It is ringing.")
    stage.write("DOT", "It is ringing.")
    expect(stage.lines()).to_have_count(11)


def test_a_line_that_cannot_be_added_comes_back_to_be_mended(stage: Stage) -> None:
    stage.write("(nobody)", "Yes.")
    expect(stage.note()).to_contain_text("cannot be a character's name")
    expect(stage.composer()).to_have_value("Yes.")
    stage.write("ruth", "Yes.")
    expect(stage.lines()).to_have_count(1)
    expect(stage.composer()).to_have_value("")


def test_a_stage_direction_is_for_people(stage: Stage, server: FakeEndpoint) -> None:
    stage.write("stage direction", "A telephone rings.")
    expect(stage.page.locator(".entry.stage")).to_have_text(re.compile("A telephone rings"))
    stage.proceed(re.compile("no line to go on from"))
    stage.write("DOT", "No.")
    stage.proceed()
    assert server.requests[0]["messages"][1]["content"] == "[DOT] No."


def test_the_room_offers_what_the_model_was_trained_on(stage: Stage, server: FakeEndpoint) -> None:
    page = stage.page
    expect(page.get_by_label("Show", exact=True)).to_be_hidden()
    stage.choose("Model", "jerry")
    expect(page.locator("h1")).to_have_text("Seinfeld")
    expect(page.get_by_label("Premise")).to_be_hidden()
    expect(page.get_by_text("goes by the lines alone")).to_be_visible()

    stage.choose("Model", "pocket-unclaimed")
    expect(page.get_by_label("Premise")).to_be_visible()
    stage.choose("Show", "Seinfeld")
    expect(page.get_by_label("Premise")).to_be_hidden()
    stage.begin()
    server.script.pieces = cut("[JERRY] No.\n[GEORGE] Yes.\n")
    stage.proceed(re.compile("pocket-unclaimed ended the scene"))
    assert server.requests[0]["messages"][0]["content"] == SHOWS["seinfeld"].system

    stage.choose("Model", "elaine")
    page.get_by_label("Premise").fill("Soup.")
    page.locator("h1").click()
    expect(page.locator(".premise")).to_have_text("Soup.")
    page.get_by_role("checkbox", name="KRAMER").check()
    # The scene has it, and not the field alone, before another model hides the field.
    page.wait_for_function("Object.values(localStorage).join().includes('KRAMER')")
    stage.choose("Model", "jerry")
    stage.proceed(re.compile("jerry ended the scene"))
    assert server.requests[-1]["messages"][0]["content"] == SHOWS["seinfeld"].system

    stage.choose("Model", "unclaimed")
    expect(page.get_by_label("Premise")).to_have_value("Soup.")
    expect(page.get_by_label("Guests")).to_have_value(re.compile("KRAMER"))
    server.script.pieces = cut(SCENE)
    page.get_by_role("checkbox", name="BEA").check()
    page.get_by_label("Guests").fill("ruth")
    stage.proceed(
        re.compile(
            "left out, of speakers who may not|left out, of a speaker who may not|by unclaimed"
        )
    )
    told = server.requests[-1]["messages"][0]["content"]
    assert told.endswith("Premise: Soup.\nPresent: BEA, RUTH")


def test_a_closed_tab_stops_the_server(stage: Stage, server: FakeEndpoint) -> None:
    numbered = "".join(f"[DOT] Number {i}.\n" for i in range(6))
    server.script.pieces = cut(numbered) + ["[DOT] No. "] * 500
    server.script.delay = 0.02
    stage.write("DOT", "No.")
    expect(stage.lines()).to_have_count(1)
    stage.page.get_by_label("Lines to write").fill("30")
    stage.button("Continue").click()
    expect(stage.lines().nth(5)).to_be_visible()
    stage.page.close()
    assert server.disconnected.wait(5)


@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_and_follows_what_is_written(
    stage: Stage, server: FakeEndpoint, width: int
) -> None:
    page = stage.page
    page.set_viewport_size({"width": width, "height": 700})
    speakers = ("DOT", "FELIX", "JUNE")
    text = "".join(f"[{speakers[i % 3]}] Number {i} of the suitcases.\n" for i in range(24))
    server.script.pieces = cut(text)
    stage.write("DOT", "x" * 10_000)
    page.get_by_label("Lines to write").fill("24")
    stage.proceed("24 lines by unclaimed.")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    last = stage.lines().last.bounding_box()
    dock = page.locator("#dock").bounding_box()
    assert last
    assert dock
    assert last["y"] + last["height"] <= dock["y"] + 20
    expect(stage.button("Continue")).to_be_in_viewport()


def test_takes_are_chosen_from_side_by_side(stage: Stage, server: FakeEndpoint) -> None:
    stage.begin()
    stage.button("Takes").click()
    expect(stage.note()).to_have_text("Choose a take; the others stay as other versions.")
    expect(stage.page.locator(".take")).to_have_count(3)
    assert len({request["seed"] for request in server.requests}) == 3
    expect(stage.lines()).to_have_count(5)
    stage.page.locator("h1").click()
    stage.page.keyboard.press("2")
    expect(stage.lines()).to_have_count(13)
    expect(stage.page.locator(".take")).to_have_count(0)
    assert stage.shown()[5:] == SCENE.splitlines()

    stage.button("Versions").click()
    expect(stage.page.locator("#branches li")).to_have_count(3)
    about = stage.page.locator("#branches small").filter(has_text="only there")
    expect(about.first).to_contain_text(re.compile("only here · unclaimed · .*20"))
    stage.button("Undo").click(force=True)
    expect(stage.lines()).to_have_count(5)


def test_two_models_are_compared_without_knowing_which_is_which(
    stage: Stage, server: FakeEndpoint
) -> None:
    stage.begin()
    stage.page.get_by_text("Two models side by side").click()
    expect(stage.page.get_by_label("The other model")).to_have_value("pocket-unclaimed")
    stage.button("Compare").click()
    expect(stage.note()).to_have_text("Choose a take; the others stay as other versions.")
    expect(stage.page.locator(".take h3")).to_have_text(["A", "B"])
    assert {request["model"] for request in server.requests} == {"unclaimed", "pocket-unclaimed"}
    stage.button("Choose take A").click()
    expect(stage.note()).to_have_text(re.compile("Taken: A: (pocket-)?unclaimed"))
    expect(stage.lines()).to_have_count(13)


def test_many_lines_in_a_hurry_stand_on_the_page_as_they_were_written(
    stage: Stage, server: FakeEndpoint
) -> None:
    written = [f"[{name}] Line {i}{name}." for i in range(10) for name in ("DOT", "FELIX", "JUNE")]
    server.script.pieces, server.script.delay = cut("\n".join(written) + "\n", 12), 0.004
    stage.begin()
    beginning = stage.shown()
    slow = stage.page.context.new_cdp_session(stage.page)
    slow.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    stage.page.get_by_label("Lines to write").fill("30")
    for _ in range(5):
        stage.proceed("30 lines by unclaimed.")
        expect(stage.lines()).to_have_count(35)
        assert stage.shown() == [*beginning, *written]
        stage.button("Undo").click()
        expect(stage.lines()).to_have_count(5)
