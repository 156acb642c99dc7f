"""The commands from end to end: real client, real functions, each in a container's view."""

import pickle
import random
import re
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from nothing_gpt.adapter.manifest import BaseModel, fingerprint_base, read_manifest, write_manifest
from nothing_gpt.errors import UserError
from nothing_gpt.files import read_json, write_json
from nothing_gpt.show import Show, load_show
from nothing_gpt.workspace import Workspace
from tests.fake_endpoint import fake_endpoint, free_port
from tests.modal.conftest import Command
from tests.modal.container import execute, pickled, start
from tests.modal.control_plane import ControlPlane
from tests.serve.conftest import MANIFEST
from tests.train.conftest import BRIEF, RECIPE
from train.base_model.pocket_training import ensure_pocket_base
from train.data.examples import read_examples
from train.training_job import TrainingJob


@pytest.fixture
def prepared(toml: Path, modal: Command, volume: Workspace) -> Workspace:
    if not volume.data("tiny").is_dir():
        done = modal("run", "-m", "data_prep", "--show", str(toml), "--tokenizer", "none")
        assert done.returncode == 0, done.stdout + done.stderr
    return volume


@pytest.fixture
def base(prepared: Workspace) -> str:
    """A pocket base on the volume, as a local folder would be."""
    ensure_pocket_base(prepared.base("tiny"), read_examples(prepared.data("tiny"))[0], RECIPE)
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


def test_another_format_lies_beside_the_shows_own(modal: Command, volume: Workspace) -> None:
    options = ("--show", "unclaimed", "--tokenizer", "none", "--format")
    done = modal("run", "-m", "data_prep", *options, "per-character")
    assert done.returncode == 0, done.stdout + done.stderr
    report = read_json(volume.data("unclaimed", "per-character") / "report.json")
    assert report["format"] == "per-character"
    refused = modal("run", "-m", "data_prep", *options, "sonnet")
    assert "no format 'sonnet'; there are script, directed, " in refused.stderr


def test_a_show_that_is_not_prepared_starts_no_gpu(modal: Command, plane: ControlPlane) -> None:
    done = modal("run", "-m", "train", "--show", "seinfeld")
    assert done.returncode == 1
    assert "modal run -m data_prep --show seinfeld" in done.stdout + done.stderr
    assert [r.function_id for r in plane.asked("FunctionMap")] == ["fu-examine"]


@pytest.mark.usefixtures("prepared")
def test_a_base_that_cannot_be_had_starts_no_gpu(
    toml: Path, modal: Command, plane: ControlPlane
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
    done = modal("run", "-m", "train", "--show", str(toml), "--gpu", "L4:9")
    assert "GPU 'L4:9': say how many from 1 to 8, as in L4:4" in done.stderr
    done = modal("run", "-m", "train", "--show", str(toml), "--gpu", "L4:3")
    assert "a step of 16 examples cannot be shared by 3 processes" in done.stderr
    done = modal("run", "-m", "train", "--show", str(toml), "--preset", "phase5")
    assert "no preset 'phase5'; there are phase1-r16" in done.stderr


def test_of_the_history_what_can_be_trained_is_and_again_only_what_is_missing(
    base: str, toml: Path, volume: Workspace, modal: Command, plane: ControlPlane
) -> None:
    """Two of the six runs have their data here; the others say what they lack."""
    command = ("run", "--detach", "-m", "train", "--show", str(toml), "--base", base)
    done = modal(*command, "--preset", "history")
    assert done.returncode == 1
    assert "run 'modal run -m data_prep --show tiny --format single-turn' first" in done.stderr
    assert "failed: tiny-phase1-r16, tiny-phase1-r32, tiny-phase2-r32, tiny-phase2" in done.stderr
    assert "warning: phase3: alpha/r 2" in done.stdout
    for name in ("tiny-phase3", "tiny-phase4"):
        assert re.search(rf"{name}: plan: \d+ examples, \d+ steps on L4", done.stdout), done.stderr
        manifest = read_manifest(volume.adapter(name))
        assert (manifest.base.id, f"tiny-{manifest.preset}") == (base, name)
        assert re.match("[0-9a-f]{40}", manifest.git_revision)
        assert not volume.checkpoints(name).exists()
    assert plane.asked("VolumeCommit")
    bound = [r for r in plane.asked("FunctionBindParams") if r.function_id == "fu-finetune"]
    assert {r.function_options.resources.gpu_config.gpu_type for r in bound} == {"L4"}
    shutil.rmtree(volume.adapter("tiny-phase3"))
    changed = toml.with_name("changed.toml")
    changed.write_text(toml.read_text() + "[generation]\ntemperature = 0.25\n")
    command = (*command[:5], str(changed), *command[6:])
    done = modal(*command, "--preset", "phase4")
    assert done.returncode == 0, done.stderr
    assert f"tiny-phase4: up to date: {volume.adapter('tiny-phase4')}" in done.stdout
    # Its sampling is taken over without a training.
    assert read_manifest(volume.adapter("tiny-phase4")).show.generation.temperature == 0.25
    asked = [r.function_id for r in plane.asked("FunctionMap")]
    assert asked.count("fu-finetune") == 2


def test_killed_three_times_it_goes_on_from_where_it_was(
    base: str, show: Show, volume: Workspace, modal: Command, plane: ControlPlane, tmp_path: Path
) -> None:
    """As preemption does it: at a random moment after each of the first commits.

    The last container has two processes, and goes on with what one had done.
    """
    assert modal("deploy", "-m", "train").returncode == 0
    function = plane.functions()["finetune"]
    shutil.rmtree(volume.adapter("tiny"), ignore_errors=True)
    config = replace(BRIEF, max_steps=12)
    job = TrainingJob(show, base, config)
    moments = random.Random()
    saved = 0
    for attempt in range(3):
        commits = len(plane.asked("VolumeCommit"))
        process = start(plane, function, pickled(job), tmp_path / f"killed-{attempt}")
        wait_for_commit(plane, commits, process)
        time.sleep(moments.uniform(0, 0.2))
        process.kill()
        assert ("continuing from" in said_by(process)) == (attempt > 0)
        assert not volume.adapter("tiny").exists()
        assert latest(volume) > saved
        saved = latest(volume)
    last = tmp_path / "last"
    commits = len(plane.asked("VolumeCommit"))
    process = start(plane, function, pickled(replace(job, gpu="L4:2")), last)
    said = said_by(process)
    assert process.returncode == 0, said
    assert said.count(f"continuing from checkpoint-{saved}") == 1
    assert len(plane.asked("VolumeCommit")) > commits
    assert pickle.loads((last / "result").read_bytes()).failed is False
    assert read_manifest(volume.adapter("tiny")).metrics["steps"] == 12
    evaluated = [e["step"] for e in read_json(volume.adapter("tiny") / "history.json")]
    assert {0, 2, 4, 6, 8, 10, 12} <= set(evaluated)


def test_what_is_missing_is_an_answer_of_two_processes_too(
    show: Show, modal: Command, plane: ControlPlane, tmp_path: Path
) -> None:
    """It is no crash, after which Modal would start the container again."""
    assert modal("deploy", "-m", "train").returncode == 0
    job = TrainingJob(replace(show, name="absent"), "pocket", BRIEF, gpu="L4:2")
    process = start(plane, plane.functions()["finetune"], pickled(job), tmp_path / "two")
    said = said_by(process)
    assert process.returncode == 0, said
    outcome = pickle.loads((tmp_path / "two" / "result").read_bytes())
    assert outcome.failed
    assert "no such data; run 'python -m data_prep --show NAME' first" in outcome.text


def latest(volume: Workspace) -> int:
    seals = volume.checkpoints("tiny").glob("checkpoint-*/sealed.json")
    return max(int(seal.parent.name.partition("-")[2]) for seal in seals)


def said_by(process: "subprocess.Popen[bytes]") -> str:
    assert process.stdout
    said = process.stdout.read().decode()
    process.wait()
    return said


def wait_for_commit(plane: ControlPlane, before: int, alive: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 120
    while len(plane.asked("VolumeCommit")) == before:
        assert alive.poll() is None, said_by(alive)
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.usefixtures("base")
def test_the_endpoint_tells_what_it_would_serve(volume: Workspace, modal: Command) -> None:
    shutil.rmtree(volume.adapters, ignore_errors=True)
    for name, rank in {"tiny": 8, "other": 24}.items():
        state = fingerprint_base(volume.base("tiny"))
        adapter = replace(MANIFEST, base=BaseModel("pocket-tiny", state), rank=rank)
        write_manifest(volume.adapter(name), adapter)
        config = {"target_modules": ["q_proj", "down_proj"]}
        write_json(volume.adapter(name) / "adapter_config.json", config)
    done = modal("run", "-m", "serve", NOTHING_GPT_OPEN="1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "--lora-target-modules down_proj q_proj" in done.stdout
    assert "serve: pocket-tiny, other, tiny on L4" in done.stdout
    assert "--max-lora-rank 32" in done.stdout
    write_manifest(volume.adapter("huge"), replace(adapter, rank=1024))
    done = modal("run", "-m", "serve", NOTHING_GPT_OPEN="1")
    assert done.returncode == 1
    assert "adapter 'huge' has rank 1024" in done.stderr
    write_manifest(volume.adapter("huge"), replace(adapter, base=BaseModel("org/else", "4567")))
    done = modal("run", "-m", "serve", NOTHING_GPT_OPEN="1")
    assert "the adapters stand on different bases" in done.stderr
    done = modal("run", "-m", "serve", NOTHING_GPT_OPEN="1", NOTHING_GPT_BASE="pocket-tiny")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "left out: huge, on another base" in done.stdout


def test_an_endpoint_whose_key_is_empty(volume: Workspace, modal: Command) -> None:
    write_manifest(volume.adapter("tiny"), MANIFEST)
    done = modal("run", "-m", "serve")
    assert done.returncode == 1
    assert "NOTHING_GPT_API_KEY is empty in the secret 'nothing-gpt-api-key'" in done.stderr


def test_an_endpoint_whose_keys_are_blank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from serve.modal_app import make_settings

    monkeypatch.setenv("NOTHING_GPT_API_KEY", " , ")
    with pytest.raises(UserError, match="NOTHING_GPT_API_KEY is set, but has no key"):
        make_settings(Workspace(tmp_path))


ROOM = """
import urllib.request
from pathlib import Path
import demo.modal_app
from nothing_gpt.workspace import Workspace
port = int(os.environ["PORT"])
demo.modal_app.start(os.environ["BASE_URL"], Workspace.default(), port)
page = urllib.request.urlopen(f"http://127.0.0.1:{port}/").read().decode()
sys.exit(0 if "gradio" in page and not Path("shows").exists() else 1)
"""


def test_the_room_opens_without_show_files(
    volume: Workspace, modal: Command, plane: ControlPlane, tmp_path: Path
) -> None:
    assert modal("deploy", "-m", "demo").returncode == 0
    room = plane.functions()["room"]
    shutil.rmtree(volume.adapters, ignore_errors=True)
    port = {"PORT": str(free_port())}
    with fake_endpoint() as server:
        variables = {"BASE_URL": server.url, "NOTHING_GPT_ROOM_LOGIN": "writer:tea", **port}
        process = execute(ROOM, plane, room, tmp_path / "a", **variables)
        assert "no adapter on the volume 'nothing-gpt'" in said_by(process)
        write_manifest(volume.adapter("tiny"), MANIFEST)
        process = execute(ROOM, plane, room, tmp_path / "b", **variables)
        said = said_by(process)
        assert process.returncode == 0, said
        del variables["NOTHING_GPT_ROOM_LOGIN"]
        said = said_by(execute(ROOM, plane, room, tmp_path / "c", **variables))
    assert "NOTHING_GPT_ROOM_LOGIN=NAME:PASSWORD, or NOTHING_GPT_OPEN=1" in said


def test_a_kaggle_token_without_its_secret(modal: Command) -> None:
    done = modal("run", "-m", "data_prep", "--show", "seinfeld", "--token")
    assert done.returncode == 1
    assert "modal secret create kaggle KAGGLE_API_TOKEN=..." in done.stderr
