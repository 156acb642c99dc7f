"""An adapter put into the weights under it: into what 4 bits left of them, or the full ones."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nothing_gpt.adapter.manifest import Manifest, fingerprint_base
from nothing_gpt.errors import UserError
from train.base_model.loading import LoadedBase, load_base

MergeTarget = Literal["NF4", "base"]
"""What an adapter is merged into: the dequantised NF4 weights, or those of the base."""


@dataclass(frozen=True, slots=True)
class TunedModel:
    """An adapter's manifest, where its base is loaded from, and the adapter's folder."""

    manifest: Manifest
    source: str
    adapter: Path


def load_tuned(parts: TunedModel) -> tuple[Any, Any]:
    """Load what was trained, the adapter unmerged over its base; give its tokenizer too.

    The tokenizer has the chat template that lies beside the adapter.

    Raises:
        UserError: the base cannot be had, or is not the one that the adapter was trained on.
    """
    loaded = _load_base(parts)
    template = parts.adapter / "chat_template.jinja"
    loaded.tokenizer.chat_template = template.read_text(encoding="utf-8")
    return _put_on(loaded.model, parts), loaded.tokenizer


def load_rounded(parts: TunedModel, kind: str) -> Any:
    """Load the adapter over its full base, all weights rounded as an engine keeps them."""
    import torch

    model = _put_on(_load_full(parts), parts)
    for parameter in model.parameters():
        parameter.data = parameter.data.to(getattr(torch, kind)).to(parameter.dtype)
    return model


def merge(under: MergeTarget, parts: TunedModel) -> Any:
    """Return a plain model with the adapter's product added to its weights.

    The sum is made in float32 and rounded to what the base's own files hold.
    """
    import torch
    from transformers import AutoConfig

    if under == "NF4":
        model = _load_base(parts).model.dequantize(dtype=torch.float32)
    else:
        model = _load_full(parts)
    stored = AutoConfig.from_pretrained(parts.source).dtype or torch.bfloat16
    return _put_on(model, parts).merge_and_unload().to(stored)


def _put_on(model: Any, parts: TunedModel) -> Any:
    from peft import PeftModel

    return PeftModel.from_pretrained(model, str(parts.adapter))


def _load_base(parts: TunedModel) -> LoadedBase:
    folder, base = Path(parts.source), parts.manifest.base
    if folder.is_dir() and fingerprint_base(folder) != base.fingerprint:
        raise UserError(
            f"base '{base.id}' is not the one that {parts.adapter} was trained on; "
            "train the adapter again"
        )
    return load_base(base.id, parts.source, base)


def _load_full(parts: TunedModel) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    gpu = {"device_map": {"": torch.cuda.current_device()}} if torch.cuda.is_available() else {}
    return AutoModelForCausalLM.from_pretrained(parts.source, dtype=torch.float32, **gpu)
