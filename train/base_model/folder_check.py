"""A check of a base model's folder by its small files, before minutes are spent on loading it."""

import json
from pathlib import Path
from typing import Any

from nothing_gpt.errors import UserError
from nothing_gpt.files import read_json

_POINTER = b"version https://git-lfs"


def check_folder(folder: Path) -> None:
    """Check that a folder holds a whole model with a tokenizer and a chat template.

    Raises:
        UserError: it is an adapter or quantised already, or something is missing or cut off; the
            message says what.
    """
    if not (folder / "config.json").is_file():
        if (folder / "adapter_config.json").is_file():
            raise UserError(
                f"{folder}: a LoRA adapter, not a base model; give the model that it was trained"
                " on, or merge the two first"
            )
        raise UserError(f"{folder}: no model in it (no config.json); download it again")
    _check_precision(folder)
    for file in _weight_files(folder):
        _check_weights(file)
    if not any((folder / name).is_file() for name in ("tokenizer.json", "tokenizer.model")):
        raise UserError(f"{folder}: no tokenizer in it (tokenizer.json); download it again")
    _check_vocabulary(folder)


def _check_precision(folder: Path) -> None:
    """Refuse weights in 8 or 4 bits, whose kinds each need another library to train on."""
    quantization = read_json(folder / "config.json").get("quantization_config")
    if quantization:
        kind = quantization.get("quant_method", "unknown")
        raise UserError(
            f"{folder}: already quantised ({kind}); give the original in 16 bits,"
            " and '--quantize nf4' to train it in 4"
        )


def _weight_files(folder: Path) -> list[Path]:
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        names = sorted(set(read_json(index)["weight_map"].values()))
        missing = [name for name in names if not (folder / name).is_file()]
        if missing:
            raise UserError(f"{folder}: {', '.join(missing)} missing; download it again")
        return [folder / name for name in names]
    files = sorted(folder.glob("*.safetensors"))
    if not files and not any(folder.glob("*.bin")):
        raise UserError(f"{folder}: no weights in it (*.safetensors); download it again")
    return files


def _check_weights(file: Path) -> None:
    """Compare a safetensors file's length with what its header says.

    The header's length is in the first 8 bytes, little-endian; the tensors' places are counted
    from the header's end (the safetensors format).
    """
    with file.open("rb") as data:
        start = data.read(len(_POINTER))
        if start == _POINTER:
            raise UserError(f"{file}: a Git LFS pointer, not the weights; run 'git lfs pull'")
        data.seek(0)
        length = int.from_bytes(data.read(8), "little")
        try:
            header: dict[str, Any] = json.loads(data.read(min(length, file.stat().st_size)))
            parts = [part for name, part in header.items() if name != "__metadata__"]
            end = 8 + length + max(part["data_offsets"][1] for part in parts)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UserError(
                f"{file}: no safetensors file, or cut off; download it again"
            ) from None
    if end != file.stat().st_size:
        raise UserError(
            f"{file}: cut off ({file.stat().st_size:,} of {end:,} bytes); download it again"
        )


def _check_vocabulary(folder: Path) -> None:
    """Compare the tokenizer's ids with the size of the model's embedding."""
    vocabulary = read_json(folder / "config.json").get("vocab_size")
    tokenizer = folder / "tokenizer.json"
    if not isinstance(vocabulary, int) or not tokenizer.is_file():
        return
    data = read_json(tokenizer)
    ids = [token["id"] for token in data.get("added_tokens", [])]
    known = data.get("model", {}).get("vocab", {})
    ids += list(known.values()) if isinstance(known, dict) else [len(known) - 1]
    if ids and max(ids) >= vocabulary:
        raise UserError(
            f"{folder}: the tokenizer has {max(ids) + 1:,} tokens, the model's embedding only"
            f" {vocabulary:,}; the two do not belong together"
        )
