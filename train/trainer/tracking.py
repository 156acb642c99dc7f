"""Weights & Biases when there is a key, offline when asked, else off; never a question."""

import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path

PROJECT = "nothing-gpt"


def is_tracked(environment: Mapping[str, str]) -> bool:
    """Whether runs are reported: a key is set, or WANDB_MODE asks for offline files."""
    mode = environment.get("WANDB_MODE", "")
    return mode == "offline" or (bool(environment.get("WANDB_API_KEY")) and mode != "disabled")


def configure_tracking(folder: Path, environment: MutableMapping[str, str] = os.environ) -> str:
    """Prepare the environment for the trainer and return the name of its reporter.

    Args:
        folder: Where a tracked run keeps its files.
        environment: What the trainer's reporter will read.
    """
    if not is_tracked(environment):
        return "none"
    folder.mkdir(parents=True, exist_ok=True)
    environment.setdefault("WANDB_DIR", str(folder))
    environment.setdefault("WANDB_PROJECT", PROJECT)
    environment.setdefault("WANDB_SILENT", "true")
    # Adapters stay here: the trainer's default would upload every checkpoint.
    environment.setdefault("WANDB_LOG_MODEL", "false")
    return "wandb"
