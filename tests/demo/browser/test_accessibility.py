"""axe-core over five states of the page, light and dark: no violations."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.demo.conftest import Stage

AXE = Path(__file__).parents[3] / "node_modules" / "axe-core" / "axe.min.js"
CHECK = """async (isDark) => {
  document.body.classList.toggle("dark", isDark);
  const { violations } = await axe.run();
  return violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 200))]);
}"""


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
    if not AXE.is_file():
        pytest.skip("no axe-core; `npm ci` installs it")
    show(stage)
    # The colours of a transition are neither those of the light page nor of the dark one.
    stage.page.add_style_tag(content="* { transition: none !important; }")
    stage.page.add_script_tag(path=AXE)
    found: dict[str, Any] = {
        name: stage.page.evaluate(CHECK, name == "dark") for name in ("light", "dark")
    }
    assert found == {"light": [], "dark": []}
