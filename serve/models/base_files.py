"""The base model's files, and the chat template that all served models share."""

from pathlib import Path
from typing import Any

from nothing_gpt.errors import UserError
from nothing_gpt.files import write_text
from nothing_gpt.prompt.template import make_template
from nothing_gpt.workspace import Workspace
from serve.models.served_models import ServedModels

TEMPLATE_FILE = "chat_template.jinja"

_TOKENIZER_FILES = ("*.json", "*.jinja", "*.model", "*.txt")
_WEIGHT_FILES = ("*.safetensors",)


def fetch_base(models: ServedModels, *, weights: bool = True) -> str:
    """Return the base's folder; download it from the hub if necessary.

    Args:
        weights: False for the tokenizer and the configuration only.

    Raises:
        UserError: the base is neither on the hub nor in the cache of downloads.
    """
    if Path(models.location).is_dir():
        return models.location
    from huggingface_hub import snapshot_download

    patterns = [*_TOKENIZER_FILES, *(_WEIGHT_FILES if weights else ())]
    try:
        return snapshot_download(
            models.location,
            revision=models.revision,
            allow_patterns=patterns,
            ignore_patterns="*/*",
        )
    except (OSError, ValueError) as error:
        raise UserError(
            f"base model '{models.location}': no such folder here, and Hugging Face does not "
            f"give it ({str(error).splitlines()[0]}); check the name, the network and, for a "
            "gated model, HF_TOKEN"
        ) from None


def load_tokenizer(models: ServedModels) -> Any:
    """Load the base's tokenizer, as transformers has it.

    Raises:
        UserError: the base has no tokenizer, or cannot be downloaded.
    """
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(fetch_base(models, weights=False))
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"base model '{models.base}': no tokenizer ({reason})") from None


def find_template(models: ServedModels) -> str:
    """Read the guarded chat template that the adapters were trained with.

    Without adapters it is made from the base's own template.

    Raises:
        UserError: there is no template, or two adapters were trained with different ones.
    """
    if not models.adapters:
        return _guard_base_template(models)
    texts = {
        name: _read(adapter.path / TEMPLATE_FILE) for name, adapter in models.adapters.items()
    }
    if len(set(texts.values())) > 1:
        raise UserError(
            f"{', '.join(texts)}: trained with different chat templates; "
            "train those that are out of date again, with --fresh, or move them away"
        )
    return next(iter(texts.values()))


def write_template(models: ServedModels, workspace: Workspace) -> Path:
    """Write the template to the workspace, for an engine in another process."""
    path = workspace.template(models.base)
    write_text(path, find_template(models))
    return path


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; train this adapter again") from None


def _guard_base_template(models: ServedModels) -> str:
    from jinja2 import TemplateError

    return make_template(load_tokenizer(models), models.base, TemplateError)
