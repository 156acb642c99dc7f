"""The tokenizer that counts the report's tokens; without a network it fails at once."""

import hashlib
import os
import socket
import tempfile
import threading
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from nothing_gpt.errors import UserError

DEFAULT_ENCODING = "cl100k_base"

_CONNECT_SECONDS = 0.7  # a name look-up without a network can take far longer

Counter = Callable[[list[str]], list[int]]
"""A function from texts to the number of tokens of each."""


class NoTokenizerError(Exception):
    """The default tokenizer is not available; the message says why and what to do."""


def load_counter(name: str) -> Counter:
    """Load a tokenizer.

    Args:
        name: `auto` or `cl100k_base` for tiktoken's; otherwise a `tokenizer.json`, a folder with
            one, or a model's id on the Hugging Face hub.

    Raises:
        NoTokenizerError: `auto`, and tiktoken's vocabulary is neither cached nor reachable.
        UserError: the requested tokenizer is not available.
    """
    if name == "auto":
        return _load_tiktoken()
    if name == DEFAULT_ENCODING:
        try:
            return _load_tiktoken()
        except NoTokenizerError as error:
            raise UserError(f"tokenizer {name}: {error}") from None
    return _load_tokenizers(name)


def _load_tiktoken() -> Counter:
    import tiktoken

    advice = (
        f"{_VOCABULARY} cannot be reached; run again with a network and --fresh, or put that file"
        f" into the folder that TIKTOKEN_CACHE_DIR names, as {_cached_vocabulary().name}"
    )
    if not _cached_vocabulary().exists() and not _reachable(_VOCABULARY):
        raise NoTokenizerError(advice)
    try:
        encoding = tiktoken.get_encoding(DEFAULT_ENCODING)
    except (OSError, ValueError) as error:  # a ValueError is a wrong hash
        raise NoTokenizerError(f"{advice} ({type(error).__name__})") from None

    def count(texts: list[str]) -> list[int]:
        return [len(tokens) for tokens in encoding.encode_ordinary_batch(texts)]

    return count


def _load_tokenizers(name: str) -> Counter:
    from tokenizers import Tokenizer

    path = Path(name)
    if path.is_dir():
        path /= "tokenizer.json"
        if not path.is_file():
            raise UserError(f"{path}: no such file; name a tokenizer.json or a folder with one")
    elif not path.exists():
        path = _download_tokenizer(name)
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # noqa: BLE001 - the library raises nothing narrower
        raise UserError(f"{path}: not a tokenizer.json ({error})") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def count(texts: list[str]) -> list[int]:
        return [len(e) for e in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]

    return count


def _download_tokenizer(model: str) -> Path:
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    # Without a network the hub's client retries for half a minute.
    offline = not _reachable(constants.ENDPOINT)
    try:
        return Path(hf_hub_download(model, "tokenizer.json", local_files_only=offline))
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        why = "the hub cannot be reached" if offline else str(error).strip().splitlines()[0]
        raise UserError(
            f"tokenizer {model}: no such file or folder, and not to be had from the hub ({why});"
            " give a path, a model's id, cl100k_base or none"
        ) from None


_VOCABULARY = "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken"


def _cached_vocabulary() -> Path:
    """Return the path of tiktoken's cached vocabulary.

    tiktoken has no function for it; this repeats `tiktoken.load.read_file_cached`.
    """
    folder = os.environ.get("TIKTOKEN_CACHE_DIR") or os.environ.get("DATA_GYM_CACHE_DIR")
    name = hashlib.sha1(_VOCABULARY.encode(), usedforsecurity=False).hexdigest()
    return Path(folder or Path(tempfile.gettempdir()) / "data-gym-cache") / name


def _reachable(url: str) -> bool:
    """Return whether a connection succeeds at once: to the proxy, if one is configured."""
    proxy = urllib.request.getproxies().get("https", url)
    place = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    connected = threading.Event()

    def connect() -> None:
        address = (place.hostname or "", place.port or 443)
        with suppress(OSError), socket.create_connection(address, timeout=_CONNECT_SECONDS):
            connected.set()

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(_CONNECT_SECONDS)
    return connected.is_set()
