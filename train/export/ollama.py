"""A folder for `ollama create`: the adapter as it is, and a Modelfile that names its base."""

import shutil
from pathlib import Path
from typing import Any

from nothing_gpt.adapter.manifest import Manifest
from nothing_gpt.errors import UserError
from train.base_model.loading import REFERENCE_BASE
from train.export.merge import TunedModel

# Bases that Ollama has itself, in the form that an adapter was trained over.
_KNOWN = {REFERENCE_BASE: "llama3.2:3b-instruct-fp16"}
_BASE = "base"


def write_folder(folder: Path, parts: TunedModel, tokenizer: Any) -> None:
    """Write Modelfile and adapter, and the base too where Ollama does not have it.

    Raises:
        UserError: the base can be given neither by a name of Ollama's nor as a folder.
    """
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        shutil.copyfile(parts.adapter / name, folder / name)
    known = _KNOWN.get(parts.manifest.base.id)
    if known is None:
        if not Path(parts.source).is_dir():
            raise UserError(
                f"base '{parts.manifest.base.id}': Ollama does not have it; "
                "use --to merged, which Ollama can read as a folder"
            )
        shutil.copytree(parts.source, folder / _BASE)
    text = write_modelfile(parts.manifest, known or f"./{_BASE}", tokenizer)
    (folder / "Modelfile").write_text(text, encoding="utf-8")


def write_modelfile(manifest: Manifest, base: str, tokenizer: Any) -> str:
    """Write what Ollama has to know; the prompt's form is that of training, word for word."""
    settings = manifest.show.generation
    parameters = {
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "frequency_penalty": settings.frequency_penalty,
        "num_predict": settings.max_tokens,
        "stop": f'"{tokenizer.eos_token}"',
    }
    return "".join(
        [
            f"FROM {base}\nADAPTER .\n",
            f'TEMPLATE """{_template(tokenizer)}"""\n',
            *(f"PARAMETER {name} {value}\n" for name, value in parameters.items()),
        ]
    )


def _template(tokenizer: Any) -> str:
    """Write the chat template in Ollama's language, by rendering it around its variables."""
    messages = [
        {"role": "system", "content": "{{ .System }}"},
        {"role": "user", "content": "{{ .Prompt }}"},
    ]
    text = str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
    # Ollama's engine puts the first token in itself.
    return text.removeprefix(tokenizer.bos_token or "") + "{{ .Response }}"
