"""A folder for `ollama create`: the unmerged adapter, and a Modelfile with its base."""

import shutil
from pathlib import Path
from typing import Any

from nothing_gpt.adapter.manifest import Manifest
from nothing_gpt.errors import UserError
from train.config.base_names import REFERENCE_BASE
from train.export.merge import TunedModel

# Bases in the library of Ollama, in 16 bits, as adapters need them.
_LIBRARY = {REFERENCE_BASE: "llama3.2:3b-instruct-fp16"}
_BASE = "base"


def write_folder(folder: Path, parts: TunedModel, tokenizer: Any) -> None:
    """Write Modelfile and adapter, and the base if Ollama does not have it.

    Raises:
        UserError: Ollama does not have the base, and it is no local folder.
    """
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        shutil.copyfile(parts.adapter / name, folder / name)
    library_name = _LIBRARY.get(parts.manifest.base.id)
    if library_name is None:
        if not Path(parts.source).is_dir():
            raise UserError(
                f"base '{parts.manifest.base.id}': Ollama does not have it; "
                "use --to merged, which Ollama can read as a folder"
            )
        shutil.copytree(parts.source, folder / _BASE)
    text = render_modelfile(parts.manifest, library_name or f"./{_BASE}", tokenizer)
    (folder / "Modelfile").write_text(text, encoding="utf-8")


def render_modelfile(manifest: Manifest, base: str, tokenizer: Any) -> str:
    """Return the Modelfile; its prompt is word for word that of training."""
    settings = manifest.show.generation
    parameters = {
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "frequency_penalty": settings.frequency_penalty,
        "presence_penalty": settings.presence_penalty,
        "num_predict": settings.max_tokens,
        "stop": f'"{tokenizer.eos_token}"',
    }
    return "".join(
        [
            f"FROM {base}\nADAPTER .\n",
            f'TEMPLATE """{_render_template(tokenizer)}"""\n',
            *(f"PARAMETER {name} {value}\n" for name, value in parameters.items()),
        ]
    )


def _render_template(tokenizer: Any) -> str:
    """Translate the chat template into Ollama's language, by rendering it around variables."""
    messages = [
        {"role": "system", "content": "{{ .System }}"},
        {"role": "user", "content": "{{ .Prompt }}"},
    ]
    text = str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
    # Ollama adds the first token itself.
    return text.removeprefix(tokenizer.bos_token or "") + "{{ .Response }}"
