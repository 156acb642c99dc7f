"""How many tokens the examples have, by one tokenizer and in batches."""

import hashlib
import os
import socket
import statistics
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from data_prep.windows import Example
from nothing_gpt.errors import UserError

OVERHEAD = 20
"""Tokens that a Llama 3 chat template adds to the contents of system, user and assistant."""

MAX_LENGTH = 2048
"""Tokens of an example that the full-size training configuration keeps."""

DEFAULT_ENCODING = "cl100k_base"

_BATCH = 256
_PATIENCE = 0.8  # seconds; a name look-up without a network can take far longer

Counter = Callable[[list[str]], list[int]]
"""Counts the tokens of each of some texts."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Tokens of one example: the whole with the template's overhead, and the answer alone."""

    total: int
    completion: int


@dataclass(frozen=True, slots=True)
class Spread:
    """How some lengths, in tokens, are spread."""

    minimum: int
    maximum: int
    mean: float
    p50: int
    p90: int
    p95: int
    p99: int


@dataclass(frozen=True, slots=True)
class TokenStatistics:
    """The spread of all examples' lengths, and how many are longer than training keeps."""

    tokenizer: str
    overhead: int
    total: Spread
    completion: Spread
    max_length: int
    over_max_length: int
    share_over_max_length: float


class NoTokenizerError(Exception):
    """The default tokenizer cannot be had here; the message says why and what to do."""


def load_counter(name: str) -> Counter:
    """Find a tokenizer.

    Args:
        name: `auto` or `cl100k_base` for tiktoken's, else a `tokenizer.json`, a folder with one,
            or a model's id on the Hugging Face hub.

    Raises:
        NoTokenizerError: `auto`, and tiktoken's vocabulary is neither cached nor within reach.
        UserError: the tokenizer that was asked for cannot be had.
    """
    if name == "auto":
        return _load_tiktoken()
    if name == DEFAULT_ENCODING:
        try:
            return _load_tiktoken()
        except NoTokenizerError as error:
            raise UserError(f"tokenizer {name}: {error}") from None
    return _load_tokenizers(name)


def count_lengths(examples: Sequence[Example], counter: Counter) -> list[Lengths]:
    """Count every example's tokens.

    The contents are counted as one text without separators, which is how the figures were
    counted that these are compared with. It is a token less here and there than one by one.
    """
    lengths: list[Lengths] = []
    for start in range(0, len(examples), _BATCH):
        batch = examples[start : start + _BATCH]
        answers = ["".join(m["content"] for m in e["completion"]) for e in batch]
        wholes = [
            "".join(m["content"] for m in e["prompt"]) + answer
            for e, answer in zip(batch, answers, strict=True)
        ]
        lengths += map(Lengths, (n + OVERHEAD for n in counter(wholes)), counter(answers))
    return lengths


def summarize_lengths(lengths: Sequence[Lengths], tokenizer: str) -> TokenStatistics:
    """Boil lengths down to what a person wants to know before training."""
    over = sum(length.total > MAX_LENGTH for length in lengths)
    return TokenStatistics(
        tokenizer=tokenizer,
        overhead=OVERHEAD,
        total=_spread(length.total for length in lengths),
        completion=_spread(length.completion for length in lengths),
        max_length=MAX_LENGTH,
        over_max_length=over,
        share_over_max_length=over / len(lengths),
    )


def _spread(values: Iterable[int]) -> Spread:
    ordered = sorted(values)
    least, most = ordered[0], ordered[-1]
    # A lone value has no quantiles; near the ends of a short list they run past it.
    cuts = statistics.quantiles(ordered if len(ordered) > 1 else ordered * 2, n=100)
    p50, p90, p95, p99 = (round(min(max(cuts[q - 1], least), most)) for q in (50, 90, 95, 99))
    return Spread(least, most, round(statistics.fmean(ordered), 2), p50, p90, p95, p99)


def _load_tiktoken() -> Counter:
    import tiktoken

    how = (
        f"{_VOCABULARY} cannot be reached; run again with a network and --fresh, or put that file"
        f" into the folder that TIKTOKEN_CACHE_DIR names, as {_cached_vocabulary().name}"
    )
    if not _cached_vocabulary().exists() and not _reachable(_VOCABULARY):
        raise NoTokenizerError(how)
    try:
        encoding = tiktoken.get_encoding(DEFAULT_ENCODING)
    except (OSError, ValueError) as error:  # requests' errors are OSErrors; a wrong hash is not
        raise NoTokenizerError(f"{how} ({type(error).__name__})") from None

    def count(texts: list[str]) -> list[int]:
        return [len(tokens) for tokens in encoding.encode_ordinary_batch(texts)]

    return count


def _load_tokenizers(name: str) -> Counter:
    from tokenizers import Tokenizer

    path = Path(name)
    try:
        if path.is_dir():
            path /= "tokenizer.json"
        tokenizer = Tokenizer.from_file(str(path if path.exists() else _download_tokenizer(name)))
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001 - the library raises nothing narrower
        raise UserError(f"{path}: not a tokenizer.json ({error})") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def count(texts: list[str]) -> list[int]:
        return [len(e) for e in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]

    return count


def _download_tokenizer(model: str) -> str:
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    # Without this the hub's client asks again and again for half a minute.
    offline = not _reachable(constants.ENDPOINT)
    try:
        return hf_hub_download(model, "tokenizer.json", local_files_only=offline)
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        why = "the hub cannot be reached" if offline else str(error).strip().splitlines()[0]
        raise UserError(
            f"tokenizer {model}: no such file or folder, and not to be had from the hub ({why});"
            " give a path, a model's id, cl100k_base or none"
        ) from None


_VOCABULARY = "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken"


def _cached_vocabulary() -> Path:
    """Where tiktoken keeps the vocabulary once it has it, which it has no call to tell."""
    folder = os.environ.get("TIKTOKEN_CACHE_DIR") or os.environ.get("DATA_GYM_CACHE_DIR")
    name = hashlib.sha1(_VOCABULARY.encode(), usedforsecurity=False).hexdigest()
    return Path(folder or Path(tempfile.gettempdir()) / "data-gym-cache") / name


def _reachable(url: str) -> bool:
    """Whether a connection can be had at once, to the proxy where there is one."""
    proxy = urllib.request.getproxies().get("https", url)
    place = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    connected = threading.Event()

    def connect() -> None:
        address = (place.hostname or "", place.port or 443)
        with suppress(OSError), socket.create_connection(address, timeout=_PATIENCE):
            connected.set()

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    return connected.is_set()
