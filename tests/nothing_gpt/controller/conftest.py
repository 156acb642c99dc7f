from collections.abc import Iterator
from pathlib import Path

import pytest

from nothing_gpt.workspace import Workspace
from tests.new_show import RunningController, running_controller


@pytest.fixture
def controller(tmp_path: Path) -> Iterator[RunningController]:
    """A controller of an empty workspace."""
    with running_controller(Workspace(tmp_path / "workspace")) as controller:
        yield controller
