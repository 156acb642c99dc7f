"""The modal command against a control plane on this machine, its volume a folder."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from nothing_gpt.show import SHOWS
from nothing_gpt.workspace import Workspace
from tests.modal.container import finish, start
from tests.modal.control_plane import ControlPlane, control_plane
from tests.train.conftest import TOML

ROOT = Path(__file__).parents[2]
SECRETS = {
    "nothing-gpt-api-key": {"NOTHING_GPT_API_KEY"},
    "nothing-gpt-room-login": {"NOTHING_GPT_ROOM_LOGIN"},
    "huggingface": {"HF_TOKEN"},
}

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The folder that stands for the volume, filled as the tests of a session go on."""
    return Workspace(tmp_path_factory.mktemp("volume"))


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
def plane(volume: Workspace, tmp_path: Path) -> Iterator[ControlPlane]:
    numbers = count()

    def run(plane: ControlPlane, function: Any, arguments: bytes) -> bytes:
        folder = tmp_path / f"container-{next(numbers)}"
        return finish(start(plane, function, arguments, folder), folder)

    with control_plane(dict(SECRETS), volume.root, run) as plane:
        yield plane


@pytest.fixture
def modal(plane: ControlPlane) -> Command:
    return partial(run_modal, plane)


def run_modal(
    plane: ControlPlane, *arguments: str, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Run `modal ...` as a person does, from the root of the checkout."""
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("NOTHING_GPT_")},
        "MODAL_SERVER_URL": plane.url,
        "MODAL_TOKEN_ID": "ak-1",
        "MODAL_TOKEN_SECRET": "as-1",
        "MODAL_CONFIG_PATH": "/nonexistent",
        "COLUMNS": "200",
        **variables,
    }
    command = [sys.executable, "-m", "modal", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200
    )
