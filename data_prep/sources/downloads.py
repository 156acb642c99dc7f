"""Data sets that are downloaded: from Kaggle, and from the Hugging Face hub."""

from pathlib import Path

from nothing_gpt.errors import UserError

_KAGGLE = "kaggle:"
_HUB = "hf:"
_HUB_FILES = [
    f"*.{suffix}"
    for suffix in ("csv", "tsv", "json", "jsonl", "parquet", "txt", "fountain", "fdx", "zip")
]
"""The files of a data set on the hub that are downloaded; scripts in Python never are."""


def is_downloaded(source: str) -> bool:
    """Return whether a source is a data set by name, rather than a path."""
    return source.startswith((_KAGGLE, _HUB))


def download(source: str) -> Path:
    """Download a data set, or find the copy in its library's cache.

    Args:
        source: `kaggle:OWNER/NAME` or `hf:OWNER/NAME`.

    Raises:
        UserError: no network, no access, or a broken download; each message says what to do.
    """
    if source.startswith(_HUB):
        return _download_from_hub(source.removeprefix(_HUB))
    return _download_from_kaggle(source.removeprefix(_KAGGLE))


def _download_from_hub(handle: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    try:
        found = snapshot_download(handle, repo_type="dataset", allow_patterns=_HUB_FILES)
        return Path(found)
    except GatedRepoError:
        why = "its owner must grant you access; ask on its page, then put a token into HF_TOKEN"
    except RepositoryNotFoundError:
        why = "the hub has none of that name, or it is private; check 'source', or set HF_TOKEN"
    except HFValidationError as error:
        why = f"{' '.join(str(error).split())}; write hf:OWNER/NAME"
    except HfHubHTTPError as error:
        why = f"the hub answered {error.response.status_code}; try again later"
    except (LocalEntryNotFoundError, OSError) as error:
        why = (
            f"it is not in the cache and cannot be downloaded ({type(error).__name__}); check the"
            " network"
        )
    raise UserError(
        f"Hugging Face data set {handle}: {why}; or get the files in a browser from"
        f" https://huggingface.co/datasets/{handle} and name their folder with --source"
    )


def _download_from_kaggle(handle: str) -> Path:
    import kagglehub
    import requests
    from kagglehub.exceptions import DataCorruptionError, UnauthenticatedError

    try:
        return Path(kagglehub.dataset_download(handle))
    except (requests.HTTPError, UnauthenticatedError) as error:
        response = getattr(error, "response", None)
        status = 401 if response is None else response.status_code
        if status in (401, 403):
            why = (
                f"Kaggle refused access ({status}); make a token at"
                " https://www.kaggle.com/settings and put it into KAGGLE_API_TOKEN"
            )
        elif status == 404:
            why = "Kaggle has none of that name; check 'source' in the show's [corpus]"
        else:
            why = f"Kaggle answered {status}; try again later"
    except OSError as error:  # includes the connection errors of requests
        why = (
            f"it cannot be downloaded ({error.strerror or type(error).__name__}); check the"
            " network and the space for ~/.cache/kagglehub"
        )
    except (DataCorruptionError, ValueError) as error:
        # A ValueError is about the handle, or about a credentials file that cannot be read.
        why = f"kagglehub says: {' '.join(str(error).split())}"
    raise UserError(
        f"Kaggle data set {handle}: {why}; or get the archive in a browser from"
        f" https://www.kaggle.com/datasets/{handle} and name it with --source"
    )
