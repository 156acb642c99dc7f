"""Images in virtual environments of their own, made of their pins by pip.

Some five minutes, most of it pip's: NOTHING_GPT_CLEAN=1 python -m pytest tests/modal -k clean
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from deployment.facts import CONSTRAINTS
from deployment.requirements import read_requirements
from nothing_gpt.adapter.manifest import read_manifest, write_manifest
from nothing_gpt.files import read_json
from nothing_gpt.workspace import Workspace
from tests.fake_endpoint import fake_endpoint, free_port
from tests.modal.conftest import ROOT, SECRETS, run_modal
from tests.modal.container import execute, finish, requirements, start
from tests.modal.control_plane import ControlPlane, control_plane
from tests.modal.test_containers import ROOM, said_by
from tests.serve.conftest import MANIFEST
from tests.train.conftest import RECIPE
from train.base_model.pocket_training import ensure_pocket_base
from train.data.examples import read_examples

pytestmark = [
    pytest.mark.skipif("NOTHING_GPT_CLEAN" not in os.environ, reason="minutes of pip's"),
    pytest.mark.timeout(600),
]


def make_environment(stage: str, folder: Path) -> str:
    """Install an image's pins, as its Dockerfile does, and Modal's client, as Modal does."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    pins = [*read_requirements(stage), *read_requirements("modal")]
    options = ["-q", "--require-hashes", "--constraint", CONSTRAINTS[0]]
    install = [python, "-m", "pip", "install", *options, *pins]
    done = subprocess.run(install, capture_output=True, text=True)
    if done.returncode and "No matching distribution" in done.stderr:
        pytest.skip(f"no package registry here: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    return python


@pytest.fixture
def volume(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "volume")


@pytest.fixture
def python(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return make_environment(request.param, tmp_path / "environment")


@pytest.fixture
def plane(volume: Workspace, python: str, tmp_path: Path) -> Iterator[ControlPlane]:
    numbers = count()

    def run(plane: ControlPlane, function: Any, arguments: bytes) -> bytes:
        folder = tmp_path / f"container-{next(numbers)}"
        return finish(start(plane, function, arguments, folder, python), folder)

    with control_plane(dict(SECRETS), volume.root, run) as plane:
        yield plane


@pytest.mark.parametrize("python", ["data_prep"], indirect=True)
def test_clean_preparing(plane: ControlPlane, volume: Workspace, python: str) -> None:
    for module in ("torch", "gradio", "transformers"):
        assert subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode
    arguments = ("--show", "unclaimed", "--tokenizer", "none")
    done = run_modal(plane, "run", "-m", "data_prep", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(requirements(plane, plane.functions()["prepare"])) == set(
        read_requirements("data_prep")
    )
    assert read_json(volume.data("unclaimed") / "report.json")["examples"]["train"] > 100


@pytest.mark.parametrize("python", ["demo"], indirect=True)
def test_clean_room(plane: ControlPlane, volume: Workspace, python: str, tmp_path: Path) -> None:
    assert subprocess.run([python, "-c", "import torch"], capture_output=True).returncode
    assert run_modal(plane, "deploy", "-m", "demo").returncode == 0
    write_manifest(volume.adapter("tiny"), MANIFEST)
    room, port = plane.functions()["room"], str(free_port())
    with fake_endpoint() as server:
        process = execute(
            *(ROOM, plane, room, tmp_path / "a", python),
            BASE_URL=server.url,
            PORT=port,
            NOTHING_GPT_ROOM_LOGIN="writer:tea",
        )
        said = said_by(process)
    assert process.returncode == 0, said


@pytest.mark.parametrize("python", ["train"], indirect=True)
def test_clean_training(plane: ControlPlane, volume: Workspace, python: str, toml: Path) -> None:
    for module in ("gradio", "fastapi", "llguidance", "kagglehub"):
        assert subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode
    command = [sys.executable, "-m", "data_prep", "--show", str(toml), "--tokenizer", "none"]
    out = ["--out", str(volume.data("tiny"))]
    subprocess.run([*command, *out], cwd=ROOT, check=True)
    ensure_pocket_base(volume.base("tiny"), read_examples(volume.data("tiny"))[0], RECIPE)
    done = run_modal(plane, "run", "-m", "train", "--show", str(toml), "--base", "pocket-tiny")
    assert done.returncode == 0, done.stdout + done.stderr
    manifest = read_manifest(volume.adapter("tiny"))
    assert manifest.config["quantized"]
    assert manifest.metrics["eval_loss"] < manifest.metrics["base_eval_loss"]
