"""Weights and activations in 8-bit floats, with one scale for each tensor, by compressed-tensors.

Ada and Hopper GPUs multiply this form directly, and vLLM loads it unchanged.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from train.export.held_out_loss import Encoded

# vLLM fuses these projections, and keeps only the largest of their scales.
_FUSED = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))


def quantise(model: Any, examples: list[Encoded]) -> None:
    """Quantise a model in place, with the scales of activations calibrated on examples.

    The model still computes in its own type, but rounds as fp8 does, so that its loss can be
    measured.
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
    with _observed_peaks(layers) as peaks, torch.inference_mode():
        for ids, _ in examples:
            model(input_ids=torch.tensor([ids], device=model.device), use_cache=False)
    for layer in layers:
        layer.quantization_enabled = True
        peak = peaks[layer]
        layer.input_scale.data.copy_(calculate_qparams(-peak, peak, scheme.input_activations)[0])
        layer.quantization_status = QuantizationStatus.FROZEN
    for group in _scale_groups(model):
        peak = torch.stack([layer.weight.detach().abs().max() for layer in group]).max()
        scale = calculate_qparams(-peak, peak, scheme.weights)[0]
        for layer in group:
            layer.weight_scale.data.copy_(scale)


def save(model: Any, folder: Path) -> None:
    """Write a quantised model; the one in memory cannot be used afterwards."""
    from compressed_tensors.compressors import ModelCompressor

    compressor = ModelCompressor.from_pretrained_model(model)
    compressor.compress_model(model)
    model.save_pretrained(folder)
    compressor.update_config(str(folder))


@contextmanager
def _observed_peaks(layers: list[Any]) -> Iterator[dict[Any, Any]]:
    """Record the largest input magnitude of each layer, without quantisation."""
    peaks: dict[Any, Any] = {}

    def record(layer: Any, inputs: tuple[Any, ...]) -> None:
        peak = inputs[0].detach().abs().max()
        peaks[layer] = max(peaks.get(layer, peak), peak)

    hooks = [layer.register_forward_pre_hook(record) for layer in layers]
    for layer in layers:
        layer.quantization_enabled = False
    try:
        yield peaks
    finally:
        for hook in hooks:
            hook.remove()


def _scale_groups(model: Any) -> Iterator[list[Any]]:
    """Yield groups of layers that share a scale; every quantised layer is in one group."""
    grouped = set()
    for module in model.modules():
        for names in _FUSED:
            if all(hasattr(getattr(module, name, None), "weight_scale") for name in names):
                group = [getattr(module, name) for name in names]
                grouped.update(group)
                yield group
    for module in model.modules():
        if hasattr(module, "weight_scale") and module not in grouped:
            yield [module]
