"""Import of a GGUF file: its weights dequantised to a folder that transformers loads.

Transformers reads GGUF itself, but slowly (11 s for the tokenizer of SmolLM2 alone) and as a model
that cannot be saved. Here that happens once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from nothing_gpt.errors import UserError
from nothing_gpt.files import atomic_folder, fingerprint, read_json, write_json

ARCHITECTURES = ("llama",)
"""Values of GGUF's `general.architecture` that training and serving are tested with."""

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
"""ChatML without the default system sentence that some models' own templates insert."""

RECORD_FILE = "gguf.json"
"""File beside imported weights: the fingerprint of the GGUF file."""


def is_imported(file: Path, folder: Path) -> bool:
    """Return whether a folder was imported from a GGUF file as it is now."""
    record = folder / RECORD_FILE
    return record.is_file() and read_json(record) == fingerprint(files=[file])


def import_gguf(file: Path, target: Path) -> None:
    """Write the model of a GGUF file as safetensors in bf16, with its tokenizer, to a folder.

    The folder appears when it is complete.

    Raises:
        UserError: the file is no GGUF, is cut off, has an architecture that is not supported,
            or has no chat template.
    """
    with _reading_once():
        check_gguf(file)
        tokenizer, model = _load(file)
    template = tokenizer.chat_template
    if not isinstance(template, str):
        raise UserError(f"{file}: has no chat template; use the GGUF of an instruct model")
    if "<|im_start|>" in template:
        tokenizer.chat_template = CHATML
    if tokenizer.pad_token in (None, tokenizer.eos_token) and tokenizer.unk_token is not None:
        # The end of a turn is learned; padding must be told apart from it.
        tokenizer.pad_token = tokenizer.unk_token
    _forget_quantization(model)
    with atomic_folder(target) as folder:
        model.bfloat16().save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        write_json(folder / RECORD_FILE, fingerprint(files=[file]))


def _load(file: Path) -> tuple[Any, Any]:
    """Load the tokenizer, and the model in float32."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source: dict[str, Any] = {
        "pretrained_model_name_or_path": str(file.parent),
        "gguf_file": file.name,
    }
    try:
        tokenizer = AutoTokenizer.from_pretrained(**source)
        model: Any = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{file}: cannot be imported: {reason}") from error
    return tokenizer, model


@contextmanager
def _reading_once() -> Iterator[None]:
    """Let transformers read a file once, and make a table of names once.

    Transformers 5.23 reads it anew for configuration, tokenizer and weights, 3.5 s each for
    SmolLM2, and makes the table anew for each module of the model. It imports both functions from
    `gguf` where it needs them.
    """
    import gguf

    names = ("GGUFReader", "get_tensor_name_map")
    plain = {name: getattr(gguf, name) for name in names}
    for name in names:
        setattr(gguf, name, cache(plain[name]))
    try:
        yield
    finally:
        for name in names:
            setattr(gguf, name, plain[name])


def check_gguf(file: Path) -> None:
    """Check what a GGUF file says of itself, before its weights are read.

    Raises:
        UserError: it is no GGUF, is cut off, or has an architecture that is not supported.
    """
    from gguf import GGUFReader

    try:
        reader = GGUFReader(str(file))
        field = reader.fields["general.architecture"]
        architecture = str(field.contents())
    except (OSError, ValueError, KeyError, IndexError, OverflowError, UnicodeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "no content"
        raise UserError(f"{file}: not a whole GGUF file ({reason}); download it again") from None
    if architecture not in ARCHITECTURES:
        raise UserError(
            f"{file}: architecture '{architecture}'; GGUF files can be imported of: "
            f"{', '.join(ARCHITECTURES)}"
        )


def _forget_quantization(model: Any) -> None:
    """Let a dequantised model be saved as a plain one.

    Transformers 5.23 refuses to save what it loaded from GGUF. The weights in memory are plain
    tensors by then, so the marks of the quantisation are taken off. This is the one place that
    touches these private attributes.
    """
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.hf_quantizer = None
    model.is_quantized = False
