"""Votes in a real browser: kept in it alone, seen, saved, deleted, switched off."""

import json
from pathlib import Path

from playwright.sync_api import expect

from tests.demo.conftest import Stage
from tests.fake_endpoint import FakeEndpoint, cut


def choose_a_take(stage: Stage, server: FakeEndpoint) -> None:
    server.script.later = [cut(f"[JUNE] Answer {number}.\n[DOT] No.\n") for number in range(3)]
    stage.button("Takes").click()
    expect(stage.button("Stop")).to_be_disabled()
    stage.button("Choose take B").click()
    expect(stage.note()).to_have_text("Taken: B.")


def open_votes(stage: Stage) -> None:
    stage.button("Export").click()
    stage.button("Votes …").click()
    expect(stage.page.get_by_role("dialog", name="Votes")).to_be_visible()


def test_votes_are_kept_saved_and_deleted(stage: Stage, server: FakeEndpoint) -> None:
    page, rows = stage.page, stage.page.locator("#votes li")
    stage.begin()
    choose_a_take(stage, server)
    open_votes(stage)
    expect(page.locator("#votes .count")).to_have_text("2 votes in this browser")
    with page.expect_download() as download:
        stage.button("Save as JSONL").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    votes = [json.loads(line) for line in lines]
    assert len(votes) == 2
    taken = {vote["chosen"][0]["content"] for vote in votes}
    assert len(taken) == 1
    assert taken.isdisjoint(vote["rejected"][0]["content"] for vote in votes)
    assert votes[0]["prompt"][-1]["role"] == "user"
    assert votes[0]["chosen_by"]["model"] == "unclaimed"

    rows.first.get_by_role("button", name="Delete this vote").click()
    expect(rows).to_have_count(1)
    page.get_by_label("Keep my votes").uncheck()
    stage.button("Close").click()

    stage.button("Undo").click()
    choose_a_take(stage, server)
    page.reload()
    expect(stage.lines()).to_have_count(7)
    open_votes(stage)
    expect(rows).to_have_count(1)
    expect(page.get_by_label("Keep my votes")).not_to_be_checked()
    stage.button("Delete all").click()
    stage.button("Really?").click()
    expect(page.locator("#votes .count")).to_have_text("No votes in this browser")
