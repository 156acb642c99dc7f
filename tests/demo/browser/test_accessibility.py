"""axe-core over five states of the page, light and dark: no violations."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.demo.axe import find_violations
from tests.demo.conftest import Stage


def show_blank_page(_stage: Stage) -> None:
    pass


def show_scene_with_open_panels(stage: Stage) -> None:
    stage.begin()
    stage.proceed()
    stage.do(2, "What it is")
    stage.page.get_by_label("Direction to the speaker").check()
    stage.button("Change").click()
    names = ("Who speaks next", "Advanced", "Two models side by side", "What the model is sent")
    for name in names:
        stage.page.get_by_text(name).click()
    stage.button("Show the next request").click()
    expect(stage.page.get_by_label("The request")).to_have_value(re.compile("messages"))


def show_takes(stage: Stage) -> None:
    stage.begin()
    stage.button("Takes").click()
    expect(stage.note()).to_have_text("Choose a take; the others stay as other versions.")


def show_versions(stage: Stage) -> None:
    stage.begin()
    stage.proceed()
    stage.button("Retake").click()
    expect(stage.page.locator(".lines.fixed")).to_have_count(0)
    stage.button("Versions").click()
    expect(stage.page.locator("#branches li")).not_to_have_count(0)


def show_episode(stage: Stage) -> None:
    stage.begin()
    stage.page.locator(".scenes").click()
    stage.button("Episode \u2026").click()
    stage.button("New episode").click()
    stage.button("Add the open scene").click()
    expect(stage.page.locator("#episode li")).to_have_count(1)


STATES = [
    show_blank_page,
    show_scene_with_open_panels,
    show_takes,
    show_versions,
    show_episode,
]


@pytest.mark.parametrize("show", STATES, ids=lambda show: show.__name__)
def test_axe_finds_nothing(stage: Stage, show: Callable[[Stage], None]) -> None:
    show(stage)
    assert find_violations(stage.page) == {}
