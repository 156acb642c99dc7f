"""Who speaks, as a person settles it on the page in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.demo.conftest import MODELS, Stage
from tests.fake_endpoint import FakeEndpoint, cut


@pytest.fixture
def stage(stage: Stage, server: FakeEndpoint) -> Stage:
    """A page whose model is said to keep to a lock, whatever another test has shown of it."""
    server.script.models = [model | {"structured_outputs": True} for model in MODELS]
    stage.button("Reconnect").click()
    expect(stage.note()).to_have_text("Ready.")
    return stage


def settle(stage: Stage, label: str, name: str) -> None:
    """Choose a name in one of the lists of who speaks."""
    field = stage.page.get_by_label(label, exact=True)
    field.click()
    field.fill(name)
    options = stage.page.locator(f"#{field.get_attribute('aria-controls')}")
    options.get_by_role("option", name=name, exact=True).click()
    field.press("Escape")


def test_who_speaks_next_who_must_and_who_keeps_silent(stage: Stage, server: FakeEndpoint) -> None:
    stage.begin()
    stage.page.get_by_role("button", name="Who speaks next").click()
    settle(stage, "Speaks next", "FELIX")
    settle(stage, "Must speak", "MR. PIKE")
    settle(stage, "Keeps silent", "DOT")
    stage.page.get_by_label("Lines to write").fill("4")
    server.script.pieces = cut("[FELIX] Is it?\n[JUNE] Yes.\n[FELIX] Oh.\n[JUNE] Quite.\n")
    server.script.later = [cut("[MR. PIKE] Let it be noted.\n")]
    stage.proceed("4 lines by unclaimed.")
    assert stage.shown()[5:] == [
        "[FELIX] Is it?",
        "[JUNE] Yes.",
        "[FELIX] Oh.",
        "[MR. PIKE] Let it be noted.",
    ]
    first, second = (
        request["structured_outputs"]["regex"].replace("\\", "") for request in server.requests
    )
    assert first.startswith("[(?:FELIX)] ")
    assert second.startswith("[(?:MR. PIKE)] ")
    assert "DOT" not in first + second
    expect(stage.page.locator(".status")).to_contain_text("speakers locked by the server")


def test_a_server_that_brings_in_the_silent_one_is_filtered_and_that_is_said(stage: Stage) -> None:
    stage.begin()
    stage.page.get_by_role("button", name="Who speaks next").click()
    settle(stage, "Keeps silent", "DOT")
    stage.proceed(re.compile("3 lines left out, of a speaker who may not speak here"))
    assert not any(line.startswith("[DOT]") for line in stage.shown()[5:])
    expect(stage.page.locator(".status")).to_contain_text("speakers filtered here")
