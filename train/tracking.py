"""Weights & Biases when there is a key, offline when asked, else off; never a question."""

import os
from collections.abc import Mapping, MutableMapping

PROJECT = "nothing-gpt"


def is_tracked(environment: Mapping[str, str]) -> bool:
    """Whether runs are reported: a key is set, or WANDB_MODE asks for offline files."""
    mode = environment.get("WANDB_MODE", "")
    return mode == "offline" or (bool(environment.get("WANDB_API_KEY")) and mode != "disabled")


def configure_tracking(environment: MutableMapping[str, str] = os.environ) -> str:
    """Prepare the environment for the trainer and return the name of its reporter."""
    environment.setdefault("WANDB_PROJECT", PROJECT)
    environment.setdefault("WANDB_SILENT", "true")
    # Adapters stay here: the trainer's default would upload every checkpoint.
    environment.setdefault("WANDB_LOG_MODEL", "false")
    return "wandb" if is_tracked(environment) else "none"
