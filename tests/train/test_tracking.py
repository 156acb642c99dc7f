from dataclasses import replace
from pathlib import Path

import pytest

from train.finetuning import Run, finetune
from train.tracking import configure_tracking


@pytest.mark.parametrize(
    ("environment", "reporter"),
    [
        ({}, "none"),
        ({"WANDB_API_KEY": ""}, "none"),
        ({"WANDB_API_KEY": "k"}, "wandb"),
        ({"WANDB_API_KEY": "k", "WANDB_MODE": "disabled"}, "none"),
        ({"WANDB_MODE": "offline"}, "wandb"),
        ({"WANDB_MODE": "online"}, "none"),
    ],
)
def test_a_key_or_offline_files_decide(
    environment: dict[str, str], reporter: str, tmp_path: Path
) -> None:
    assert configure_tracking(tmp_path, environment) == reporter
    if reporter == "wandb":
        assert environment["WANDB_LOG_MODEL"] == "false"
        assert environment["WANDB_DIR"] == str(tmp_path)


def test_an_offline_run_is_written_beside_the_logs(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(run.workspace.logs))
    run.workspace.logs.mkdir()
    finetune(replace(run, config=replace(run.config, max_steps=1)))
    assert list(run.workspace.logs.glob("wandb/offline-run-*/*.wandb"))
