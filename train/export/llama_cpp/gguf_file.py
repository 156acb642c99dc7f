"""A merged model as one GGUF file, in the type of its weights: nothing is rounded."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nothing_gpt.errors import UserError
from train.export.llama_cpp.gguf_tokenizer import add_tokenizer, name_split

if TYPE_CHECKING:
    from gguf import GGUFWriter

_ARCHITECTURES = {"llama": "llama", "mistral": "llama", "qwen2": "qwen2", "qwen3": "qwen3"}
"""transformers' model types, and GGUF's names of architectures."""


def check_exportable(config: Any, tokenizer: Any) -> None:
    """Check that a model can be written as GGUF, before minutes are spent on it.

    Raises:
        UserError: its family, its positions or its tokenizer are not known here.
    """
    if config.model_type not in _ARCHITECTURES:
        raise UserError(
            f"GGUF: a base of type '{config.model_type}' is not exported here, only"
            f" {', '.join(_ARCHITECTURES)}; use --to merged, and llama.cpp's"
            " convert_hf_to_gguf.py with that folder"
        )
    kind = config.rope_parameters["rope_type"]
    if kind not in ("default", "llama3"):
        raise UserError(
            f"GGUF: positions of type '{kind}' are not exported here; use --to merged, and"
            " llama.cpp's convert_hf_to_gguf.py with that folder"
        )
    name_split(tokenizer)


def write_gguf(file: Path, model: Any, tokenizer: Any, title: str) -> None:
    """Write a merged model with its tokenizer and chat template; programs show its title.

    Raises:
        UserError: as `check_exportable`.
    """
    from gguf import GGUFWriter

    check_exportable(model.config, tokenizer)
    architecture = _ARCHITECTURES[model.config.model_type]
    writer = GGUFWriter(file, architecture)
    writer.add_name(title)
    _add_shape(writer, model)
    add_tokenizer(writer, tokenizer, model.config.vocab_size)
    _add_weights(writer, model, architecture)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_shape(writer: "GGUFWriter", model: Any) -> None:
    from gguf import LlamaFileType

    config = model.config
    head = _head_size(config)
    types = {
        "torch.float32": LlamaFileType.ALL_F32,
        "torch.float16": LlamaFileType.MOSTLY_F16,
        "torch.bfloat16": LlamaFileType.MOSTLY_BF16,
    }
    writer.add_file_type(types[str(model.dtype)])
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(_whole_context(config))
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_rope_dimension_count(head)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)


def _add_weights(writer: "GGUFWriter", model: Any, architecture: str) -> None:
    import torch
    from gguf import MODEL_ARCH, GGMLQuantizationType, get_tensor_name_map

    config = model.config
    names = get_tensor_name_map(MODEL_ARCH[architecture.upper()], config.num_hidden_layers)
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    for name, parameter in model.named_parameters():
        tensor = parameter.detach().cpu()
        layer = name.split(".")[-2]
        if architecture == "llama" and layer in heads:
            tensor = _interleave_halves(tensor, heads[layer])
        place = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if place is None:
            raise UserError(f"GGUF: has no place for the base's '{name}'; use --to merged")
        if tensor.dim() == 1:
            writer.add_tensor(place, tensor.float().numpy())
        elif tensor.dtype == torch.bfloat16:
            data = tensor.contiguous().view(torch.uint8).numpy()
            writer.add_tensor(place, data, raw_dtype=GGMLQuantizationType.BF16)
        else:
            writer.add_tensor(place, tensor.numpy())
    if config.rope_parameters["rope_type"] == "llama3":
        writer.add_tensor("rope_freqs.weight", _stretch_of_positions(config).numpy())


def _interleave_halves(weight: Any, heads: int) -> Any:
    """Reorder the rows of queries or keys for llama.cpp's Llama.

    It turns pairs of neighbours by a position; transformers turns a row of the first half of a
    head together with one of the second.
    """
    halves = weight.unflatten(0, (heads, 2, -1))
    return halves.transpose(1, 2).flatten(0, 2).contiguous()


def _stretch_of_positions(config: Any) -> Any:
    """Return by how much Llama 3 divides each frequency of its positions."""
    import torch
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    head = _head_size(config)
    plain = config.rope_parameters["rope_theta"] ** -(torch.arange(0, head, 2).float() / head)
    return plain / ROPE_INIT_FUNCTIONS["llama3"](config, torch.device("cpu"))[0]


def _head_size(config: Any) -> int:
    own = getattr(config, "head_dim", None)
    return int(own or config.hidden_size // config.num_attention_heads)


def _whole_context(config: Any) -> int:
    """Return the positions that all layers see; llama.cpp has no window for these families."""
    window = getattr(config, "sliding_window", None)
    uses = getattr(config, "use_sliding_window", True)
    longest = int(config.max_position_embeddings)
    return min(longest, window) if window and uses else longest
