"""Weights & Biases: on with a key, offline if asked, otherwise off; it never prompts."""

import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from nothing_gpt.errors import UserError

PROJECT = "nothing-gpt"


def is_tracked(environment: Mapping[str, str]) -> bool:
    """Return whether runs are reported: a key is set, or WANDB_MODE asks for offline files."""
    mode = environment.get("WANDB_MODE", "")
    return mode == "offline" or (bool(environment.get("WANDB_API_KEY")) and mode != "disabled")


def configure_tracking(folder: Path, environment: MutableMapping[str, str] = os.environ) -> str:
    """Set the environment of a tracked run, and return the trainer's name of its reporter.

    Args:
        folder: Where a tracked run writes its files.
        environment: The variables that the reporter reads.
    """
    if not is_tracked(environment):
        return "none"
    folder.mkdir(parents=True, exist_ok=True)
    environment.setdefault("WANDB_DIR", str(folder))
    environment.setdefault("WANDB_PROJECT", PROJECT)
    environment.setdefault("WANDB_SILENT", "true")
    # By default the trainer would upload every checkpoint.
    environment.setdefault("WANDB_LOG_MODEL", "false")
    return "wandb"


def check_tracking(command: str) -> None:
    """Check that Weights & Biases accepts the key, if there is one.

    Args:
        command: The command that stores a key, for the message.

    Raises:
        UserError: the key is refused, or the service cannot be reached.
    """
    key = os.environ.get("WANDB_API_KEY")
    if not key:
        return
    import wandb

    try:
        wandb.login(key=key, relogin=True, prompt=False, verify=True, timeout=30)
    except (wandb.errors.Error, ValueError) as error:
        why = str(error).strip().splitlines()[0]
        # A failed request raises wandb's AuthenticationError too.
        if "Failed to execute API request" in why:
            raise UserError(
                f"Weights & Biases cannot be asked ({why}); leave out --wandb, or try again later"
            ) from None
        raise UserError(
            f"Weights & Biases refuses the key ({why}); leave out --wandb, or put a valid one"
            f" into the secret: {command}"
        ) from None
