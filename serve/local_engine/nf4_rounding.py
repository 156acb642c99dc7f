"""The base as QLoRA trains on it: rounded to NF4."""

from typing import Any

from nothing_gpt.errors import UserError


def round_to_nf4(network: Any) -> int:
    """Quantize a model's linear layers to NF4 and back, so that they have training's values.

    The head, the embeddings and adapters keep their values, as in training.

    Returns:
        The number of rounded layers.

    Raises:
        UserError: bitsandbytes is not installed.
    """
    try:
        from bitsandbytes.functional import dequantize_4bit, quantize_4bit
    except ImportError:
        raise UserError("bitsandbytes is not installed; 'make install' brings it") from None
    from torch import nn

    head, count = network.get_output_embeddings(), 0
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear) and module is not head and ".lora_" not in name:
            weight = module.weight.data
            packed, state = quantize_4bit(weight, quant_type="nf4", compress_statistics=True)
            module.weight.data = dequantize_4bit(packed, state).to(weight.dtype)
            count += 1
    return count
