"""The commands from end to end: real client, real functions, each in a container's view."""

import json
import random
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from nothing_gpt.files import read_json
from nothing_gpt.manifest import read_manifest
from nothing_gpt.show import SHOWS, Show, load_show
from nothing_gpt.workspace import Workspace
from tests.modal.conftest import Command
from tests.modal.container import finish, pickled, start
from tests.modal.control_plane import ControlPlane
from tests.train.conftest import BRIEF, RECIPE, TOML
from train.dataset import read_examples
from train.pretraining import ensure_base


@pytest.fixture(scope="session")
def toml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A show of one's own: four scripts beside a TOML file."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "scripts").mkdir()
    for script in sorted((SHOWS / "unclaimed" / "scripts").glob("*.fountain"))[:4]:
        shutil.copy(script, folder / "scripts")
    path = folder / "tiny.toml"
    path.write_text(TOML)
    return path


@pytest.fixture
def prepared(toml: Path, modal: Command, volume: Workspace) -> Workspace:
    if not volume.data("tiny").is_dir():
        done = modal("run", "-m", "data_prep", "--show", str(toml), "--tokenizer", "none")
        assert done.returncode == 0, done.stdout + done.stderr
    return volume


@pytest.fixture
def base(prepared: Workspace) -> str:
    """A pocket base on the volume, as a local folder would be."""
    ensure_base(prepared.base("tiny"), read_examples(prepared.data("tiny"))[0], RECIPE)
    return "pocket-tiny"


@pytest.fixture
def show(toml: Path) -> Show:
    return load_show(str(toml))


def test_scripts_go_up_and_examples_are_on_the_volume(
    prepared: Workspace, toml: Path, modal: Command, plane: ControlPlane
) -> None:
    assert (prepared.source("tiny") / "scripts.zip").is_file()
    assert read_json(prepared.data("tiny") / "report.json")["examples"]["train"] > 0
    done = modal("run", "-m", "data_prep", "--show", str(toml), "--tokenizer", "none")
    assert "nothing has changed" in done.stdout
    assert plane.asked("VolumeCommit")


def test_one_show_that_fails_does_not_lose_the_others(modal: Command, volume: Workspace) -> None:
    done = modal("run", "-m", "data_prep", "--show", "all", "--tokenizer", "none")
    assert done.returncode == 1
    # Nothing reaches Kaggle from here.
    assert "seinfeld: error: Kaggle data set" in done.stderr
    assert "error: failed: seinfeld; a rerun does only what is missing" in done.stderr
    assert "unclaimed:" in done.stdout
    assert volume.data("unclaimed").is_dir()


def test_a_show_that_is_not_prepared_starts_no_gpu(modal: Command, plane: ControlPlane) -> None:
    done = modal("run", "-m", "train", "--show", "seinfeld")
    assert done.returncode == 1
    assert "modal run -m data_prep --show seinfeld" in done.stdout + done.stderr
    assert [r.function_id for r in plane.asked("FunctionMap")] == ["fu-examine"]


def test_a_base_that_cannot_be_had_starts_no_gpu(
    prepared: Workspace, toml: Path, modal: Command, plane: ControlPlane
) -> None:
    done = modal("run", "-m", "train", "--show", str(toml), "--base", "no/such-3B")
    assert done.returncode == 1
    assert "base model 'no/such-3B': the hub" in done.stderr
    assert "fu-finetune" not in [r.function_id for r in plane.asked("FunctionMap")]


def test_a_missing_secret_and_a_missing_gpu(toml: Path, modal: Command) -> None:
    done = modal("run", "-m", "train", "--show", str(toml), "--wandb")
    assert done.returncode == 1
    assert "modal secret create wandb WANDB_API_KEY=..." in done.stderr
    done = modal("run", "-m", "train", "--show", str(toml), "--gpu", "Q7")
    assert "error: no GPU 'Q7'" in done.stderr
    done = modal("run", "-m", "train", "--show", str(toml), "--gpu", "L4:4")
    assert "one GPU as yet" in done.stderr


def test_training_prints_its_plan_and_leaves_an_adapter(
    base: str, toml: Path, volume: Workspace, modal: Command, plane: ControlPlane
) -> None:
    done = modal("run", "--detach", "-m", "train", "--show", str(toml), "--base", base)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"tiny: plan: \d+ examples, \d+ steps on L4", done.stdout)
    assert read_manifest(volume.adapter("tiny")).base.id == base
    assert plane.asked("VolumeCommit")
    assert not volume.checkpoints("tiny").exists()
    (bound,) = [r for r in plane.asked("FunctionBindParams") if r.function_id == "fu-finetune"]
    assert bound.function_options.resources.gpu_config.gpu_type == "L4"


def test_killed_three_times_it_goes_on_from_where_it_was(
    base: str, show: Show, volume: Workspace, modal: Command, plane: ControlPlane, tmp_path: Path
) -> None:
    assert modal("deploy", "-m", "train").returncode == 0
    function = plane.functions()["finetune"]
    shutil.rmtree(volume.adapter("tiny"), ignore_errors=True)
    config = BRIEF
    moments = random.Random()
    saved: list[int] = []
    for attempt in range(3):
        commits = len(plane.asked("VolumeCommit"))
        folder = tmp_path / f"killed-{attempt}"
        process = start(plane, function, pickled(show, base, config), folder)
        wait_for_commit(plane, commits, process)
        time.sleep(moments.uniform(0, 0.5))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if volume.adapter("tiny").exists():
            break
        saved.append(latest(volume))
    assert saved == sorted(saved)
    last = tmp_path / "last"
    process = start(plane, function, pickled(show, base, config), last)
    assert process.stdout
    said = process.stdout.read().decode()
    assert process.wait() == 0, said
    if not volume.adapter("tiny").exists():
        pytest.fail(said)
    assert read_manifest(volume.adapter("tiny")).metrics["steps"] == config.max_steps


def latest(volume: Workspace) -> int:
    seals = volume.checkpoints("tiny").glob("checkpoint-*/sealed.json")
    return max(int(seal.parent.name.partition("-")[2]) for seal in seals)


def wait_for_commit(
    plane: ControlPlane, before: int, alive: "subprocess.Popen[bytes]"
) -> None:
    deadline = time.monotonic() + 120
    while len(plane.asked("VolumeCommit")) == before:
        assert alive.poll() is None, alive.communicate()[0].decode()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_endpoint_tells_what_it_would_serve(
    base: str, volume: Workspace, modal: Command
) -> None:
    done = modal("run", "-m", "serve", NOTHING_GPT_OPEN="1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tiny" in done.stdout
    assert json.dumps("tiny") in done.stdout
