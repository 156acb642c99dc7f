"""An adapter merged into its base: into the dequantised NF4 weights, or the full ones."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nothing_gpt.adapter.manifest import Manifest, fingerprint_base
from nothing_gpt.errors import UserError
from train.artifacts.adapter_writer import TEMPLATE_FILE
from train.base_model.loading import LoadedBase, load_base
from train.config.training_config import Quantize

MergeTarget = Literal["NF4", "base"]
"""The weights that an adapter is merged into: dequantised NF4, or those of the base."""


@dataclass(frozen=True, slots=True)
class TunedModel:
    """An adapter: its manifest, the folder or hub id of its base, and its folder."""

    manifest: Manifest
    source: str
    adapter: Path


def load_tuned(parts: TunedModel) -> tuple[Any, Any]:
    """Load a base with the unmerged adapter, and the tokenizer with the adapter's chat template.

    Raises:
        UserError: the base cannot be loaded, or is not the one that the adapter was trained on.
    """
    loaded = _load_base(parts)
    template = parts.adapter / TEMPLATE_FILE
    loaded.tokenizer.chat_template = template.read_text(encoding="utf-8")
    return _add_adapter(loaded.model, parts), loaded.tokenizer


def merge(target: MergeTarget, parts: TunedModel) -> Any:
    """Return a plain model with the adapter added to its weights.

    The sum is computed in float32, and rounded to the type of the base's own files.
    """
    import torch
    from transformers import AutoConfig

    if target == "NF4":
        model = _load_base(parts).model.dequantize(dtype=torch.float32)
    else:
        model = _load_full(parts)
    stored = AutoConfig.from_pretrained(parts.source).dtype or torch.bfloat16
    merged = _add_adapter(model, parts).merge_and_unload()
    # `merged.to(stored)` would also round the frequencies of the positions, which are no weights
    # and stay in float32 in every engine.
    for parameter in merged.parameters():
        parameter.data = parameter.data.to(stored)
    merged.config.dtype = stored
    return merged


def _add_adapter(model: Any, parts: TunedModel) -> Any:
    from peft import PeftModel

    return PeftModel.from_pretrained(model, str(parts.adapter))


def _load_base(parts: TunedModel) -> LoadedBase:
    folder, base = Path(parts.source), parts.manifest.base
    if folder.is_dir() and fingerprint_base(folder) != base.fingerprint:
        raise UserError(
            f"base '{base.id}' is not the one that {parts.adapter} was trained on; "
            "train the adapter again"
        )
    quantize: Quantize = "nf4" if parts.manifest.config["quantized"] else "none"
    return load_base(base.id, parts.source, base, quantize=quantize)


def _load_full(parts: TunedModel) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    gpu = {"device_map": {"": torch.cuda.current_device()}} if torch.cuda.is_available() else {}
    return AutoModelForCausalLM.from_pretrained(parts.source, dtype=torch.float32, **gpu)
