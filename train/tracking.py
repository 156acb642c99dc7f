"""Weights & Biases: on only if WANDB_MODE asks for it, not by a key alone; it never prompts.

It gets losses, speeds, the configuration and sample scenes; no code, console output or
checkpoints, and no lines of the scripts.
"""

import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from nothing_gpt.errors import UserError
from nothing_gpt.files import make_folder

PROJECT = "nothing-gpt"


def is_tracked(environment: Mapping[str, str]) -> bool:
    """Return whether runs are reported: WANDB_MODE asks for it, or for offline files."""
    return environment.get("WANDB_MODE", "") in ("online", "offline")


def configure_tracking(folder: Path, environment: MutableMapping[str, str] = os.environ) -> str:
    """Set the environment of a tracked run, and return the trainer's name of its reporter.

    Args:
        folder: Where a tracked run writes its files.
        environment: The variables that the reporter reads.
    """
    if not is_tracked(environment):
        return "none"
    make_folder(folder)
    environment.setdefault("WANDB_DIR", str(folder))
    environment.setdefault("WANDB_PROJECT", PROJECT)
    environment.setdefault("WANDB_SILENT", "true")
    # By default the trainer would upload every checkpoint, and W&B the code and the console.
    environment.setdefault("WANDB_LOG_MODEL", "false")
    environment.setdefault("WANDB_CONSOLE", "off")
    for name in ("CODE", "GIT", "JOB_CREATION"):
        environment.setdefault(f"WANDB_DISABLE_{name}", "true")
    return "wandb"


def check_tracking(command: str) -> None:
    """Check that Weights & Biases accepts the key, if runs are reported.

    Args:
        command: The command that stores a key, for the message.

    Raises:
        UserError: the key is refused, or the service cannot be reached.
    """
    key = os.environ.get("WANDB_API_KEY")
    if not (key and is_tracked(os.environ)):
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
