"""The bundled show's resources and held-out windows, prepared once."""

import subprocess
import sys
from pathlib import Path

import pytest

from evaluation.held_out import list_episodes, read_speeches, read_windows
from evaluation.passages import Passage, Window, make_passage
from evaluation.resources.show_resources import ShowResources, learn_show


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
