"""What a run says when it breaks off."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from train.trainer import checkpoints
from train.training_loop import train_to_end


class Broken:
    args = SimpleNamespace()

    def add_callback(self, _callback: object) -> None: ...

    def train(self, **_: Any) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")


def crash(folder: Path) -> str:
    trainer: Any = Broken()
    with pytest.raises(RuntimeError) as caught:
        train_to_end(trainer, folder, None)
    (note,) = caught.value.__notes__
    return note


def test_a_crash_says_what_was_kept_and_how_to_go_on(tmp_path: Path) -> None:
    assert crash(tmp_path) == "No checkpoint was made yet. The same command starts again."
    (tmp_path / "checkpoint-50").mkdir()
    (tmp_path / "checkpoint-50" / "weights").write_text("w")
    checkpoints.seal(tmp_path / "checkpoint-50")
    assert crash(tmp_path) == (
        f"checkpoint-50 is kept in {tmp_path}. The same command continues from there."
    )
