"""Upload of an export to a model hub, only when it is asked for."""

import re
from pathlib import Path

from nothing_gpt.errors import UserError

_TARGET = re.compile(r"hub:([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)", re.ASCII)


def read_target(target: str) -> str:
    """Return OWNER/NAME of a target `hub:OWNER/NAME`.

    Raises:
        UserError: it is no such target.
    """
    found = _TARGET.fullmatch(target)
    if found is None:
        raise UserError(f"--push {target}: write hub:OWNER/NAME")
    return found[1]


def push(folder: Path, name: str) -> str:
    """Upload a folder to a private repository, which is created if necessary; return its address.

    A repository that exists keeps its visibility.

    Raises:
        UserError: there is no token, it does not allow this, or the hub cannot be reached.
    """
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

    api = HfApi()
    try:
        address = api.create_repo(name, private=True, exist_ok=True)
        api.upload_folder(
            repo_id=address.repo_id, folder_path=folder, commit_message="Upload by Nothing-GPT"
        )
    except LocalTokenNotFoundError:
        raise UserError(f"--push: no token for {api.endpoint}; run 'hf auth login'") from None
    except HfHubHTTPError as error:
        raise UserError(
            f"--push: {api.endpoint} refused {name} ({error.response.status_code}); check the name"
            " and that the token may write ('hf auth whoami')"
        ) from error
    except (httpx2.HTTPError, OSError) as error:
        raise UserError(f"--push: {api.endpoint} cannot be reached; check the network") from error
    return str(address)
