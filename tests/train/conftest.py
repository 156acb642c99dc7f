"""A small show, prepared once: four bundled episodes in short windows, trained in seconds."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from nothing_gpt.show import SHOWS, Show, load_show
from nothing_gpt.workspace import Workspace
from train.base_model.pocket_training import ensure_pocket_base
from train.config.pretraining_config import PretrainingConfig
from train.config.profiles import load_profile
from train.config.run import Run, resolve_run
from train.config.training_config import TrainingConfig
from train.data.examples import read_examples

TOML = """\
name = "tiny"
title = "Tiny"
cast = [
    { name = "DOT", voice = "dry" },
    { name = "FELIX", voice = "full of schemes" },
]
[prompt]
format = "script"
system = "Continue the scene of {title}.\\n{cast}"
[corpus]
kind = "fountain"
source = "scripts"
licence = "CC0-1.0"
[windows]
turns = 8
context = 2
minimum = 6
stride = 8
[split]
held_out = 0.25
"""

BRIEF = replace(
    load_profile("pocket"),
    max_steps=6,
    eval_interval=2,
    eval_share=1.0,
    log_interval=1,
    max_eval_examples=4,
)
RECIPE = PretrainingConfig(tokens=4_000)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Show, Workspace]:
    """The show, and a workspace with its examples."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "show.toml").write_text(TOML)
    (folder / "scripts").mkdir()
    for script in sorted((SHOWS / "unclaimed" / "scripts").glob("*.fountain"))[:4]:
        shutil.copy(script, folder / "scripts")
    options = ["--workspace", str(folder / "workspace"), "--tokenizer", "none"]
    show = str(folder / "show.toml")
    subprocess.run([sys.executable, "-m", "data_prep", "--show", show, *options], check=True)
    return load_show(show), Workspace(folder / "workspace")


@pytest.fixture
def workspace(prepared: tuple[Show, Workspace], tmp_path: Path) -> Workspace:
    """A copy for one test, with the examples and, if it is built, the pocket base."""
    shutil.copytree(prepared[1].root, tmp_path / "workspace")
    return Workspace(tmp_path / "workspace")


@pytest.fixture(scope="session")
def show(prepared: tuple[Show, Workspace]) -> Show:
    return prepared[0]


@pytest.fixture(scope="session")
def brief() -> TrainingConfig:
    return BRIEF


@pytest.fixture(scope="session")
def base(prepared: tuple[Show, Workspace]) -> Workspace:
    """The prepared workspace, with the pocket base built once for all tests."""
    show, workspace = prepared
    ensure_pocket_base(
        workspace.base(show.name), read_examples(workspace.data(show.name))[0], RECIPE
    )
    return workspace


@pytest.fixture
def place(base: Workspace, workspace: Workspace) -> Workspace:
    assert base.root != workspace.root
    return workspace


@pytest.fixture
def run(show: Show, place: Workspace, brief: TrainingConfig) -> Run:
    return resolve_run(show, "pocket", brief, place, pretraining=RECIPE)
