"""The next beat in a real browser: sent with the premise, kept over a reload, or not possible."""

from playwright.sync_api import expect

from tests.demo.conftest import Stage
from tests.fake_endpoint import FakeEndpoint


def test_the_next_beat_is_sent_for_the_next_lines(stage: Stage, server: FakeEndpoint) -> None:
    beat = stage.page.get_by_label("Next beat")
    stage.begin()
    beat.fill("The phone stops.")
    stage.page.reload()
    expect(stage.lines()).to_have_count(5)
    expect(beat).to_have_value("The phone stops.")
    stage.proceed()
    system = server.requests[-1]["messages"][0]["content"]
    assert "every call is for Mr. Pike. The phone stops.\n" in system
    expect(stage.page.locator(".premise")).not_to_contain_text("stops")
    stage.choose("Model", "jerry")
    expect(beat).to_be_disabled()
    expect(beat).to_have_attribute(
        "placeholder", "This model takes no direction; write a line instead"
    )
