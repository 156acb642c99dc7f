"""The controller over HTTP, with data_prep as a real child process."""

import signal
import stat
from pathlib import Path

import httpx
import pytest

from nothing_gpt.workspace import Workspace
from tests.new_show import RUBBISH, TOKEN, RunningController, write_scripts


def test_it_answers_to_its_name_and_token_alone(controller: RunningController) -> None:
    assert httpx.get(f"{controller.url}/job").status_code == 403
    for headers in (
        {"authorization": "Bearer another"},
        {"host": "evil.example"},
        {"origin": "http://evil.example"},
    ):
        refused = controller.request("GET", "/job", **headers)
        assert refused.status_code == 403
        assert refused.json().keys() == {"error"}
    command = Path(f"/proc/{controller.process.pid}/cmdline")
    if command.exists():
        assert TOKEN not in command.read_text()


def test_what_it_cannot_do_is_said(controller: RunningController) -> None:
    assert controller.request("GET", "/other").status_code == 404
    assert controller.do("describe").status_code == 404
    assert controller.request("POST", "/job/begin", {"more": 1}).status_code == 400
    assert controller.request("POST", "/job/add", {"name": "a"}).status_code == 400
    assert controller.request("POST", "/job/begin", [1]).status_code == 400
    url, headers = f"{controller.url}/job/begin", {"authorization": f"Bearer {TOKEN}"}
    assert httpx.post(url, content="{", headers=headers).status_code == 400
    refused = controller.do("train", rights="Mine.")
    assert refused.status_code == 409
    assert refused.json()["error"] == "there is no new show; drop scripts first"


def test_rubbish_is_refused_in_words_and_forgotten(controller: RunningController) -> None:
    controller.send(RUBBISH)
    job = controller.wait_for_state("failed", "read")
    assert job["state"] == "failed"
    assert "photo.jpg: is no text" in job["message"]
    place = controller.workspace
    assert str(place.root) not in job["message"]
    assert controller.do("forget").json()["state"] == "empty"
    assert not place.draft("the_pier").exists()
    assert not place.source("the_pier").exists()


def test_scripts_are_read_with_the_rubbish_among_them(controller: RunningController) -> None:
    controller.send({**RUBBISH, **write_scripts()})
    job, place = controller.wait_for_state("read", "failed"), controller.workspace
    assert job["state"] == "read", job["message"]
    assert job["name"] == "the_pier"
    assert job["show"]["title"] == "The Pier"
    assert job["files"] == len(RUBBISH) + len(write_scripts())
    names = [member["name"] for member in job["show"]["cast"]]
    assert names[:3] == ["ANN", "BOB", "MR. PIKE"]
    assert job["suspects"] == {"ANN LEE": "ANN"}
    report = job["report"]
    assert report["episodes"] == {"train": 2, "validation": 1}
    assert dict(report["speakers"])["ANN"] == 90
    assert report["read"] == sum(report["kinds"].values()) + sum(
        about["count"] for about in report["dropped"].values()
    )
    assert any(note.startswith("skipped photo.jpg: ") for note in report["notes"])
    assert report["near_misses"][0]["file"] == "pier - episode 1.txt"
    assert report["dropped"]["in a file without a speech"]["examples"] == ["notes"]
    assert stat.S_IMODE(place.source("the_pier").stat().st_mode) == 0o700
    assert not (place.root.parent / "notes").exists()


def test_names_are_corrected_and_merged(controller: RunningController) -> None:
    controller.send(write_scripts())
    controller.wait_for_state("read")
    members = {"Anna": ["ANN", "ANN LEE"], "BOB": []}
    cast = [{"name": name, "aliases": aliases} for name, aliases in members.items()]
    assert controller.do("correct", title="Peers", cast=cast).status_code == 200
    job = controller.wait_for_state("read", "failed")
    assert job["state"] == "read", job["message"]
    assert job["show"] == {
        "title": "Peers",
        "cast": [{"name": "ANNA", "aliases": ["ANN", "ANN LEE"]}, {"name": "BOB", "aliases": []}],
    }
    assert dict(job["report"]["speakers"])["ANNA"] == 96
    refused = controller.do("correct", title="Peers", cast=[{"name": "[", "aliases": []}])
    assert refused.status_code == 400
    assert refused.json()["error"].startswith("cast: '[' cannot be a character's name")
    assert controller.job()["state"] == "read"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_was_read_is_there_after_a_restart(
    controller: RunningController, number: signal.Signals
) -> None:
    controller.send(write_scripts())
    controller.process.send_signal(number)
    controller.process.wait(30)
    controller.start()
    # SIGTERM stops the reading; SIGKILL leaves it to end by itself.
    job = controller.wait_for_state("read", "failed")
    assert (job["state"], job["message"]) in (("read", ""), ("failed", "Stopped."))
    if number == signal.SIGKILL:
        assert job["state"] == "read"
    if job["state"] == "failed":
        assert controller.do("read").status_code == 200
        controller.wait_for_state("read")


def test_a_second_controller_of_a_workspace_is_refused(controller: RunningController) -> None:
    with pytest.raises(AssertionError, match="the controller has ended"):
        RunningController(Workspace(controller.workspace.root))
