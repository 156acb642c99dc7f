"""The bundled show's resources and held-out windows, prepared once."""

import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from evaluation.generation.record import (
    SCENES_FILE,
    RunDescription,
    SceneRecord,
    fingerprint_windows,
    write_description,
)
from evaluation.passages import Passage, Window, make_passage
from evaluation.record_file import append_record
from evaluation.resources.show_resources import ShowResources, learn_show
from evaluation.windows import list_episodes, read_speeches, read_windows
from nothing_gpt.line import render_lines
from nothing_gpt.show import Show, load_show
from nothing_gpt.workspace import Workspace


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of the bundled show."""
    root = tmp_path_factory.mktemp("unclaimed")
    options = ["--show", "unclaimed", "--workspace", str(root), "--tokenizer", "none"]
    subprocess.run([sys.executable, "-m", "data_prep", *options], check=True)
    return root / "data" / "unclaimed"


@pytest.fixture(scope="session")
def windows(data: Path) -> list[Window]:
    return read_windows(data, list_episodes(read_speeches(data), held_out=True))


@pytest.fixture(scope="session")
def known(data: Path) -> ShowResources:
    speeches = read_speeches(data)
    episodes = list_episodes(speeches, held_out=False)
    return learn_show(episodes.values(), (s["text"] for s in speeches if s["split"] == "train"))


@pytest.fixture(scope="session")
def real(windows: list[Window]) -> list[Passage]:
    """The show's own continuations."""
    return [make_passage(window, 0, window.lines) for window in windows]


@dataclass(frozen=True)
class Kept:
    """A workspace with the bundled show's data, where runs can be kept."""

    workspace: Workspace
    show: Show
    windows: list[Window]

    def keep_run(self, model: str, *, run: str = "", samples: int = 1, windows: str = "") -> Path:
        """Keep scenes of a model: turns of training episodes that its name chooses."""
        folder = self.workspace.evaluation(self.show.name, run or f"{model}-12345678")
        known = windows or fingerprint_windows(self.windows)
        made_by = RunDescription(model, self.show.prompt.format, self.show.generation, known)
        write_description(folder, made_by)
        speeches = read_speeches(self.workspace.data(self.show.name))
        turns = [x for own in list_episodes(speeches, held_out=False).values() for x in own]
        draw = random.Random(model)
        for key in product(range(len(self.windows)), range(samples)):
            at = draw.randrange(len(turns) - 20)
            text = render_lines(turns[at : at + draw.randint(4, 9)])
            append_record(folder / SCENES_FILE, SceneRecord(*key, text, "stop", 100))
        return folder


@pytest.fixture
def kept(data: Path, windows: list[Window], tmp_path: Path) -> Kept:
    workspace = Workspace(tmp_path)
    shutil.copytree(data, workspace.data("unclaimed"))
    return Kept(workspace, load_show("unclaimed"), windows)
