"""Weights and activations in 8-bit floats with one scale a tensor, by compressed-tensors.

The form that Ada and Hopper multiply directly, and that vLLM loads as it is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from train.export.held_out_loss import Encoded

# vLLM keeps one scale for projections that it joins, the largest; they share it from the start.
_JOINED = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))


def quantise(model: Any, examples: list[Encoded]) -> None:
    """Put a model in place into fp8, its activations' scales from running it on examples.

    It goes on computing as before, but rounds as fp8 does, so that its loss can be measured.
    """
    import torch
    from compressed_tensors.quantization import (
        QuantizationConfig,
        QuantizationScheme,
        QuantizationStatus,
        apply_quantization_config,
    )
    from compressed_tensors.quantization.quant_scheme import FP8
    from compressed_tensors.quantization.utils import calculate_qparams

    scheme = QuantizationScheme(targets=["Linear"], **FP8)
    config = QuantizationConfig(config_groups={"group_0": scheme}, ignore=["lm_head"])
    apply_quantization_config(model, config, show_progress=False)
    layers = [m for m in model.modules() if hasattr(m, "quantization_scheme")]
    with _observed(layers) as seen, torch.inference_mode():
        for ids, _ in examples:
            model(input_ids=torch.tensor([ids], device=model.device), use_cache=False)
    for layer in layers:
        layer.quantization_enabled = True
        peak = seen[layer]
        layer.input_scale.data.copy_(calculate_qparams(-peak, peak, scheme.input_activations)[0])
        layer.quantization_status = QuantizationStatus.FROZEN
    for group in _joined(model):
        peak = torch.stack([layer.weight.detach().abs().max() for layer in group]).max()
        scale = calculate_qparams(-peak, peak, scheme.weights)[0]
        for layer in group:
            layer.weight_scale.data.copy_(scale)


def save(model: Any, folder: Path) -> None:
    """Write a quantised model as a checkpoint; it is of no use afterwards."""
    from compressed_tensors.compressors import ModelCompressor

    compressor = ModelCompressor.from_pretrained_model(model)
    compressor.compress_model(model)
    model.save_pretrained(folder)
    compressor.update_config(str(folder))


@contextmanager
def _observed(layers: list[Any]) -> Iterator[dict[Any, Any]]:
    """Note the largest magnitude that enters each layer, unquantised."""
    seen: dict[Any, Any] = {}

    def look(layer: Any, inputs: tuple[Any, ...]) -> None:
        peak = inputs[0].detach().abs().max()
        seen[layer] = max(seen.get(layer, peak), peak)

    hooks = [layer.register_forward_pre_hook(look) for layer in layers]
    for layer in layers:
        layer.quantization_enabled = False
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def _joined(model: Any) -> Iterator[list[Any]]:
    """Give the layers that share a scale, every quantised one in exactly one group."""
    grouped = set()
    for module in model.modules():
        for names in _JOINED:
            if all(hasattr(getattr(module, name, None), "weight_scale") for name in names):
                group = [getattr(module, name) for name in names]
                grouped.update(group)
                yield group
    for module in model.modules():
        if hasattr(module, "weight_scale") and module not in grouped:
            yield [module]
