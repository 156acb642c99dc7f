"""Tuning by votes and the scorecard from end to end, each function in a container's view."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from nothing_gpt.adapter.manifest import read_manifest
from nothing_gpt.errors import UserError
from nothing_gpt.show import Show
from nothing_gpt.votes.vote_file import write_votes
from nothing_gpt.workspace import VARIABLE, Workspace
from tests.fake_endpoint import SCENE, Script, fake_endpoint
from tests.modal.conftest import Command
from tests.modal.control_plane import ControlPlane
from tests.train.conftest import base, prepared, show
from tests.train.preferences.conftest import count_questions, list_lines, make_votes, trained
from train.config.config_file import parse_assignments
from train.preferences.modal_app import examine_votes
from train.preferences.preference_job import make_preference_job

__all__ = ["base", "prepared", "show", "trained"]

FAST = "train_batch=8 accumulation=1 max_length=256"


@pytest.fixture(scope="session")
def volume(trained: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The volume, with the show's data and adapter."""
    folder = tmp_path_factory.mktemp("volume")
    shutil.copytree(trained.root, folder, dirs_exist_ok=True)
    return Workspace(folder)


def list_calls(plane: ControlPlane) -> list[str]:
    return [request.function_id for request in plane.asked("FunctionMap")]


def test_votes_of_this_machine_tune_an_adapter_on_the_volume(
    volume: Workspace,
    show: Show,
    toml: Path,
    modal: Command,
    plane: ControlPlane,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "votes.jsonl"
    write_votes(file, make_votes(list_lines(volume, show), show, count_questions, 24))
    command = ("run", "-m", "train", "--show", str(toml), "--preferences", str(file))
    done = modal(*command, "--best-of-n", "--set", FAST)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tiny-votes: plan: 'tiny' by 24 votes (100% take): best-of-n, on L4" in done.stdout
    lineage = read_manifest(volume.adapter("tiny-votes")).lineage
    assert lineage
    assert (lineage.adapter, lineage.votes) == ("tiny", 24)
    assert not volume.checkpoints("tiny-votes").exists()
    assert plane.asked("VolumeCommit")
    assert list_calls(plane) == ["fu-examine_votes", "fu-tune_adapter"]

    # What is done, or refused, starts no GPU.
    monkeypatch.setenv(VARIABLE, str(volume.root))
    job = make_preference_job(show, [file], settings=parse_assignments(FAST.split()))
    again = examine_votes.local(replace(job, best_of_n=True))
    assert (again.idle, again.text) == (True, f"up to date: {volume.adapter('tiny-votes')}")
    refused = examine_votes.local(job)
    assert refused.failed
    assert "24 votes of the 200 that tell a preference from chance" in refused.text


def test_what_cannot_be_sent_is_one_message(show: Show, tmp_path: Path) -> None:
    file = tmp_path / "votes.jsonl"
    with pytest.raises(UserError, match=r"votes\.jsonl: cannot be read"):
        make_preference_job(show, [file])
    with file.open("wb") as large:
        large.truncate(17 * 2**20)
    with pytest.raises(UserError, match="have 17 MiB, and at most 16 are sent with a command"):
        make_preference_job(show, [file])
    with pytest.raises(UserError, match="GPU 'L4:2': one is used here"):
        make_preference_job(show, [], gpu="L4:2")


def test_the_deployed_endpoint_is_scored(
    volume: Workspace, toml: Path, modal: Command, plane: ControlPlane
) -> None:
    command = ("run", "-m", "evaluation", "--show", str(toml), "--scenes", "4")
    done = modal(*command)
    assert done.returncode == 1
    assert "the endpoint is not deployed; run 'modal deploy -m serve' first" in done.stderr
    plane.values["NOTHING_GPT_API_KEY"] = "oolong, lapsang"
    script = Script(models=[{"id": "tiny"}], key="oolong", reply=lambda _: SCENE)
    with fake_endpoint(script) as server:
        plane.endpoint = server.url.removesuffix("/v1")
        done = modal(*command)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "| surprise |" in done.stdout
    assert not [key for key in ("oolong", "lapsang") if key in done.stdout + done.stderr]
    (scenes,) = volume.evaluations("tiny").glob("*/scenes.jsonl")
    assert scenes.read_bytes().count(b"\n") == 4
    assert "## Scenes beside real ones" in (volume.adapter("tiny") / "report.md").read_text()
    assert plane.asked("VolumeCommit")


def test_a_show_that_is_not_prepared_is_not_scored(modal: Command) -> None:
    done = modal("run", "-m", "evaluation", "--show", "seinfeld")
    assert done.returncode == 1
    assert "run 'modal run -m data_prep --show seinfeld' first" in done.stderr
