"""The base as QLoRA trained on it: in NF4, and back."""

from typing import Any

from nothing_gpt.errors import UserError


def round_to_nf4(network: Any) -> int:
    """Give a model's linear layers the values they have after NF4 and back, as training had them.

    The head and the embeddings stay, as transformers leaves them in training, and so do adapters.

    Returns:
        How many layers were rounded.

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
        if isinstance(module, nn.Linear) and module is not head and "lora_" not in name:
            weight = module.weight.data
            packed, state = quantize_4bit(weight, quant_type="nf4", compress_statistics=True)
            module.weight.data = dequantize_4bit(packed, state).to(weight.dtype)
            count += 1
    return count
