"""The base model's files, and the one chat template that every model of an offer uses."""

from pathlib import Path
from typing import Any

from nothing_gpt.errors import UserError
from nothing_gpt.files import write_text
from nothing_gpt.prompt.template import guard_template
from nothing_gpt.workspace import Workspace
from serve.models.served_models import ServedModels

TEMPLATE = "chat_template.jinja"

_TOKENIZER = ("*.json", "*.jinja", "*.model", "*.txt")
_WEIGHTS = ("*.safetensors",)


def fetch(offer: ServedModels, *, weights: bool = True) -> str:
    """Find the base's folder; from the hub it is downloaded, unless it was before.

    Raises:
        UserError: it can be had neither from the hub nor from an earlier download.
    """
    if Path(offer.location).is_dir():
        return offer.location
    from huggingface_hub import snapshot_download

    patterns = [*_TOKENIZER, *(_WEIGHTS if weights else ())]
    try:
        return snapshot_download(
            offer.location, revision=offer.revision, allow_patterns=patterns, ignore_patterns="*/*"
        )
    except (OSError, ValueError) as error:
        raise UserError(
            f"base model '{offer.location}': no such folder here, and Hugging Face does not give "
            f"it ({str(error).splitlines()[0]}); check the name, the network and, for a gated "
            "model, HF_TOKEN"
        ) from None


def load_tokenizer(offer: ServedModels) -> Any:
    """Load the base's tokenizer, by transformers.

    Raises:
        UserError: there is none, or it cannot be had.
    """
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(fetch(offer, weights=False))
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"base model '{offer.base}': no tokenizer ({reason})") from None


def find_template(offer: ServedModels) -> str:
    """Read the guarded template that the adapters were trained with, or make the base's own.

    Raises:
        UserError: there is no template, or two adapters were trained with different ones.
    """
    if not offer.adapters:
        return _make_template(offer)
    texts = {name: _read(adapter.path / TEMPLATE) for name, adapter in offer.adapters.items()}
    if len(set(texts.values())) > 1:
        raise UserError(
            f"{', '.join(texts)}: trained with different chat templates; "
            "train those that are out of date again, with --fresh, or move them away"
        )
    return next(iter(texts.values()))


def write_template(offer: ServedModels, workspace: Workspace) -> Path:
    """Put the template where an engine in another process can read it."""
    path = workspace.template(offer.base)
    write_text(path, find_template(offer))
    return path


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; train this adapter again") from None


def _make_template(offer: ServedModels) -> str:
    tokenizer = load_tokenizer(offer)
    if not isinstance(tokenizer.chat_template, str):
        raise UserError(f"{offer.base}: has no chat template; use an instruct model as the base")
    tokens = [token.content for token in tokenizer.added_tokens_decoder.values()]
    return guard_template(tokenizer.chat_template, tokens)
