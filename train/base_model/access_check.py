"""A check that a base model can be loaded, made before a GPU is paid for."""

from pathlib import Path

from nothing_gpt.errors import UserError


def check_base(source: str, command: str) -> None:
    """Check that a base is a local folder, or that the hub lets us download it.

    Args:
        source: A folder or a hub id.
        command: The command that stores a token, for the message.

    Raises:
        UserError: there is no such model, or it is gated and the token has no access.
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
