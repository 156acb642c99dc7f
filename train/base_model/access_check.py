"""What a run needs of others, looked at before it costs anything."""

import os
from pathlib import Path

from nothing_gpt.errors import UserError


def check_base(source: str, command: str) -> None:
    """Make sure that a base can be had: it is a folder here, or the hub lets us have it.

    Raises:
        UserError: there is no such model, or it is gated and the token does not open it.
    """
    if Path(source).is_dir():
        return
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        RepositoryNotFoundError,
    )

    try:
        HfApi().auth_check(source)
    except GatedRepoError:
        why = (
            f"gated; ask for access at https://huggingface.co/{source} and put a token that has"
            f" it into the secret: {command}"
        )
    except (RepositoryNotFoundError, HFValidationError):
        why = "the hub has none of that name, or it is private; check the name and the token"
    except (HfHubHTTPError, httpx2.HTTPError, OSError) as error:
        why = f"the hub cannot be asked ({type(error).__name__}); try again later"
    else:
        return
    raise UserError(f"base model '{source}': {why}")


def check_tracking(command: str) -> None:
    """Make sure that Weights & Biases takes the key, if there is one.

    Raises:
        UserError: it does not.
    """
    key = os.environ.get("WANDB_API_KEY")
    if not key:
        return
    import wandb

    try:
        wandb.login(key=key, relogin=True, prompt=False, verify=True, timeout=30)
    except (wandb.errors.Error, ValueError) as error:
        why = str(error).strip().splitlines()[0]
        if "Failed to execute API request" in why:  # also an AuthenticationError of wandb's
            raise UserError(
                f"Weights & Biases cannot be asked ({why}); leave out --wandb, or try again later"
            ) from None
        raise UserError(
            f"Weights & Biases refuses the key ({why}); leave out --wandb, or put a valid one"
            f" into the secret: {command}"
        ) from None
