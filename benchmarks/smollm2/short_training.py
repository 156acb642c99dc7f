"""A training for a measurement: under a name of its own, and deleted when it is read."""

import shutil
from typing import TYPE_CHECKING

from nothing_gpt.show import load_show
from nothing_gpt.workspace import Workspace

if TYPE_CHECKING:
    from train.config.training_config import TrainingConfig
    from train.trainer.loss_checks import LogEntry


def train_and_read(
    show: str, base: str, config: "TrainingConfig", suffix: str
) -> "list[LogEntry]":
    """Train an adapter `SHOW-suffix`, delete it, and return its logged figures.

    Args:
        show: A prepared show.
        base: As `python -m train` takes it.
        config: The hyperparameters.
        suffix: The end of the adapter's name.
    """
    from train.artifacts.run_history import read_history
    from train.config.run import resolve_run
    from train.finetuning import finetune

    loaded, workspace = load_show(show), Workspace.default()
    name = f"{loaded.name}-{suffix}"
    folder = finetune(resolve_run(loaded, base, config, workspace, name=name, fresh=True))
    entries = read_history(folder)
    shutil.rmtree(folder)
    return entries
