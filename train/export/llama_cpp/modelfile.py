"""A Modelfile: Ollama's description of a GGUF file, with the prompt of training."""

from typing import Any

from nothing_gpt.adapter.manifest import Manifest
from nothing_gpt.errors import UserError
from nothing_gpt.prompt import build_messages
from train.generation import find_last_token

FILE = "Modelfile"


def render_modelfile(manifest: Manifest, gguf: str, tokenizer: Any) -> str:
    """Return the Modelfile; its prompt is word for word that of training.

    Args:
        manifest: The adapter's manifest.
        gguf: The name of the GGUF file beside it.
        tokenizer: The tokenizer, with the template of training.

    Raises:
        UserError: the show's system message holds three quotation marks in a row.
    """
    settings = manifest.show.generation
    stop = tokenizer.convert_ids_to_tokens(find_last_token(tokenizer))
    parameters = {
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "frequency_penalty": settings.frequency_penalty,
        "presence_penalty": settings.presence_penalty,
        "num_predict": settings.max_tokens,
        "stop": f'"{stop}"',
    }
    system = build_messages(manifest.show, manifest.format, [])[0]["content"]
    return "".join(
        [
            f"FROM ./{gguf}\n",
            f"TEMPLATE {_quote(_render_template(tokenizer))}\n",
            f"SYSTEM {_quote(system)}\n",
            *(f"PARAMETER {name} {value}\n" for name, value in parameters.items()),
        ]
    )


def _render_template(tokenizer: Any) -> str:
    """Translate the chat template into Ollama's language, by rendering it around variables.

    The first token stays in it: the GGUF file tells Ollama to add none.
    """
    messages = [
        {"role": "system", "content": "{{ .System }}"},
        {"role": "user", "content": "{{ .Prompt }}"},
    ]
    text = str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
    return text + "{{ .Response }}"


def _quote(text: str) -> str:
    """Quote a text of several lines; Ollama has no escape for three quotation marks in it."""
    if '"""' in text:
        raise UserError('a Modelfile cannot hold """; change the show\'s system message')
    return f'"""{text}"""'
