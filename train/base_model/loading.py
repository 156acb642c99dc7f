"""Loading a base model: in 4 bits where possible, and with the guarded chat template.

This is the only module that uses private parts of bitsandbytes and of transformers'
configurations: `support_avx512bf16_for_cpu` (see `keep_trainable`), and `_commit_hash`, because
transformers has no public way to ask which revision of a hub model it loaded.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nothing_gpt.adapter.manifest import BaseModel, fingerprint_base
from nothing_gpt.errors import UserError
from nothing_gpt.prompt.template import make_template
from train.config.training_config import Quantize
from train.estimate.machine import is_bf16_faster
from train.estimate.model_shape import BILLION

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class LoadedBase:
    """A base ready for tuning.

    Attributes:
        identity: Its name and fingerprint, as in the manifest.
        model: The model.
        tokenizer: Its tokenizer, with the guarded chat template.
        quantized: Whether its linear layers are in NF4.
    """

    identity: BaseModel
    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    quantized: bool


def load_base(
    name: str, source: str, identity: BaseModel | None = None, *, quantize: Quantize = "auto"
) -> LoadedBase:
    """Load a base model and its tokenizer for tuning on the device at hand.

    Args:
        name: Its name in the manifest.
        source: A folder or a hub id, as transformers takes it.
        identity: Its name and fingerprint if they are known already, as for the pocket base. By
            default a local folder is fingerprinted by its files, a hub model by its commit.
        quantize: Whether its linear layers are put into NF4; `auto` from `BILLION` weights on.

    Raises:
        UserError: it cannot be found or downloaded, or it has no chat template.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    options: dict[str, Any] = {}
    if torch.cuda.is_available():
        options["device_map"] = {"": torch.cuda.current_device()}
    try:
        quantized = _wants_nf4(source, quantize) and supports_4bit()
        options["dtype"] = dtype = compute_dtype(quantized=quantized)
        if quantized:
            options["quantization_config"] = _nf4(dtype)
        tokenizer = AutoTokenizer.from_pretrained(source)
        model = AutoModelForCausalLM.from_pretrained(source, **options)
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(
            f"base model '{name}' cannot be loaded: {reason}\n"
            "Check the name, the network and, for gated models, 'hf auth login'; "
            "or use '--base pocket' or a folder that holds the model."
        ) from error
    keep_trainable(model)
    guard_tokenizer(tokenizer, name)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    identity = identity or BaseModel(name, _fingerprint(source, model))
    return LoadedBase(identity, model, tokenizer, quantized)


def describe_precision(base: LoadedBase) -> str:
    """Say in which precision a base is trained, and what that costs."""
    dtype = str(base.model.dtype).removeprefix("torch.")
    if base.quantized:
        return (
            f"4 bits (NF4), computed in {dtype}; a small base loses about 0.1 nats a token by it"
        )
    return f"full precision, in {dtype}"


def _wants_nf4(source: str, quantize: Quantize) -> bool:
    """Return whether a base is to be quantised, by its number of weights if that is left open."""
    if quantize != "auto":
        return quantize == "nf4"
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(source))
    return bool(model.num_parameters() >= BILLION)


def guard_tokenizer(tokenizer: "PreTrainedTokenizerBase", name: str) -> None:
    """Replace the chat template with the guarded one, which training and serving share.

    Raises:
        UserError: the model has no chat template, or none that fits our prompts.
    """
    from jinja2 import TemplateError

    tokenizer.chat_template = make_template(tokenizer, name, TemplateError)


def keep_trainable(model: "PreTrainedModel") -> None:
    """Keep bitsandbytes' CPU layers in their trainable format.

    On CPUs with AVX-512 BF16, bitsandbytes 0.50.2 repacks 4-bit weights in the first evaluation,
    for a kernel without a backward pass. Training then continues without a warning, and gradients
    stop at the last layer. There is no public switch for this.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            setattr(module, "support_avx512bf16_for_cpu", False)  # noqa: B010


def compute_dtype(*, quantized: bool) -> Any:
    """Return the type to compute in.

    On a GPU it is bf16 if the GPU has it, otherwise fp16. On a CPU it is bf16 if that is faster
    there; NF4 is dequantised to float32, for which bitsandbytes' CPU kernels are made.
    """
    import torch

    if not torch.cuda.is_available():
        return torch.bfloat16 if not quantized and is_bf16_faster() else torch.float32
    return torch.bfloat16 if has_bf16(torch.cuda.get_device_capability()) else torch.float16


def has_bf16(capability: tuple[int, int]) -> bool:
    """Return whether a GPU of this CUDA compute capability has bf16 arithmetic; a T4 is (7, 5).

    `torch.cuda.is_bf16_supported()` is also true on a T4, where bf16 is emulated, slowly.
    """
    return capability >= (8, 0)


def supports_4bit() -> bool:
    """Return whether bitsandbytes can quantise to NF4 and back on this machine, by trying it."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        from bitsandbytes.functional import dequantize_4bit, quantize_4bit

        sample = torch.linspace(-1, 1, 4096, device=device).reshape(64, 64)
        packed, state = quantize_4bit(sample, quant_type="nf4", compress_statistics=True)
        back = dequantize_4bit(packed, state)
    except (ImportError, NotImplementedError, RuntimeError, AttributeError):
        return False
    return bool((back - sample).abs().max() < 0.2)


def _nf4(dtype: Any) -> Any:
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def _fingerprint(source: str, model: "PreTrainedModel") -> str:
    folder = Path(source)
    if folder.is_dir():
        return fingerprint_base(folder)
    return str(getattr(model.config, "_commit_hash", None) or "unknown")
