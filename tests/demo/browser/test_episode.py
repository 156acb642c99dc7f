"""An episode in a real browser: written, split, moved, exported, backed up and restored."""

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.demo.conftest import Stage
from tests.fake_endpoint import FakeEndpoint


def test_an_episode_is_written_moved_split_exported_and_restored(
    stage: Stage, server: FakeEndpoint, browser: Browser, room: str, tmp_path: Path
) -> None:
    page, episode = stage.page, stage.page.locator("#episode")
    stage.begin()
    open_episode(stage)
    stage.button("New episode").click()
    episode.get_by_label("Title").fill("The Hat")
    stage.button("Add the open scene").click()
    page.get_by_label("Heading of scene 1").fill("INT. OFFICE - DAY")
    page.get_by_label("Outline of scene 1").fill("Dot loses a hat")
    stage.button("New scene after the open one").click()

    # What happened before is sent with the premise.
    expect(stage.lines()).to_have_count(0)
    expect(page.locator(".before")).to_have_text("Before: Dot loses a hat.")
    page.get_by_label("Premise").fill("A hat is found.")
    stage.write("DOT", "One.")
    stage.proceed()
    system = server.requests[-1]["messages"][0]["content"]
    assert "Premise: Before: Dot loses a hat. Now: A hat is found." in system
    stage.choose("Model", "jerry")
    expect(page.locator(".before")).to_contain_text("This model cannot be told")
    stage.choose("Model", "unclaimed")
    expect(page.locator(".before")).not_to_contain_text("This model cannot be told")

    stage.do(3, "Split the scene here")
    expect(stage.lines()).to_have_count(3)
    expect(page.locator("#sheet .message")).to_contain_text("a scene of their own now")
    open_episode(stage)
    scenes = episode.locator("li")
    expect(scenes.locator("small")).to_have_text(["5 lines", "3 lines", "6 lines"])
    page.get_by_label("Heading of scene 3").fill("EXT. YARD - NIGHT")
    stage.button("Move scene 3 up").click()
    expect(scenes.locator("small")).to_have_text(["5 lines", "6 lines", "3 lines"])
    expect(stage.button("Move scene 2 up")).to_be_focused()
    with page.expect_download() as download:
        stage.button("Fountain").click()
    assert download.value.suggested_filename == "The-Hat.fountain"
    script = Path(download.value.path()).read_text(encoding="utf-8")
    assert re.findall(r"^(?:INT|EXT)[.].*|^\..*|^= .*", script, re.MULTILINE) == [
        "INT. OFFICE - DAY",
        "= Dot loses a hat",
        "EXT. YARD - NIGHT",
        ".SCENE 3",
        "= A hat is found.",
    ]

    page.locator(".scenes").click()
    with page.expect_download() as download:
        stage.button("Back up everything").click()
    backup = tmp_path / "backup.json"
    backup.write_bytes(Path(download.value.path()).read_bytes())
    with browser.new_context() as elsewhere:
        other = Stage(elsewhere.new_page()).come_in(room)
        restore(other, backup)
        message = other.page.locator("#sheet .message")
        expect(message).to_have_text("Restored: 3 scenes, 1 episode.")
        restore(other, backup)
        expect(message).to_have_text("All of that backup is here already.")
        open_episode(other)
        expect(other.page.get_by_label("Outline of scene 1")).to_have_value("Dot loses a hat")
        other.button("Open scene 3").click()
        expect(other.lines()).to_have_count(3)
        assert other.shown() == stage.shown()
        other.button("Undo").click()  # every version is there
        expect(other.lines()).to_have_count(9)


def open_episode(stage: Stage) -> None:
    stage.page.locator(".scenes").click()
    stage.button("Episode \u2026").click()


def restore(stage: Stage, backup: Path) -> None:
    stage.page.locator(".scenes").click()
    with stage.page.expect_file_chooser() as chooser:
        stage.button("Restore a backup").click()
    chooser.value.set_files(backup)
