"""A tokenizer as GGUF describes it, so that llama.cpp gives the token ids of training.

A GGUF file does not hold how text is split before byte pairs are merged. It names one of the
splits that llama.cpp has in its code, and a wrong name gives other token ids without an error.
"""

import json
from typing import TYPE_CHECKING, Any

from nothing_gpt.errors import UserError
from train.generation import find_last_token

if TYPE_CHECKING:
    from gguf import GGUFWriter

_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SPLITS = {
    _WORDS + r"\p{N}{1,3}" + _REST: "llama-bpe",
    _WORDS + r"\p{N}" + _REST: "qwen2",
}
"""Regular expressions of tokenizers, and the names of these splits in llama.cpp."""


def name_split(tokenizer: Any) -> str:
    """Return llama.cpp's name of the way in which a tokenizer splits text.

    Raises:
        UserError: llama.cpp has none that is known here, or it is no byte-level BPE.
    """
    data = json.loads(tokenizer.backend_tokenizer.to_str())
    steps = data["pre_tokenizer"] or {}
    steps = steps.get("pretokenizers", [steps])
    kinds = [step.get("type") for step in steps]
    name = None
    if (
        data["model"]["type"] != "BPE"
        or kinds[-1] != "ByteLevel"
        or _changes_text(data, steps[-1])
    ):
        pass
    elif kinds == ["ByteLevel"] and steps[0]["use_regex"]:
        name = "gpt-2"
    elif kinds == ["Digits", "ByteLevel"] and steps[1]["use_regex"]:
        name = "smollm" if steps[0]["individual_digits"] else None
    elif kinds == ["Split", "ByteLevel"] and not steps[1]["use_regex"]:
        name = SPLITS.get(steps[0]["pattern"].get("Regex", ""))
    # llama.cpp takes whole words from the vocabulary before it merges, with this split only.
    if name is None or (name == "llama-bpe") != bool(data["model"].get("ignore_merges")):
        raise UserError(
            "GGUF: the base's tokenizer is of a kind that is not exported here (SentencePiece, or"
            " an own way of splitting text); use --to merged, and llama.cpp's"
            " convert_hf_to_gguf.py with that folder"
        )
    return name


def add_tokenizer(writer: "GGUFWriter", tokenizer: Any, size: int) -> None:
    """Add a tokenizer and its chat template to a GGUF file.

    Args:
        writer: The file.
        tokenizer: The tokenizer, with the template of training.
        size: The rows of the model's embedding; there can be more than tokens.

    Raises:
        UserError: as `name_split`.
    """
    from gguf import TokenType

    split = name_split(tokenizer)
    added = tokenizer.added_tokens_decoder
    texts = {number: text for text, number in tokenizer.get_vocab().items()}
    kinds = []
    for number in range(size):
        if number not in texts:
            kinds.append(TokenType.UNUSED)
        elif number in added:
            special = added[number].special
            kinds.append(TokenType.CONTROL if special else TokenType.USER_DEFINED)
        else:
            kinds.append(TokenType.NORMAL)
    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(split)
    writer.add_token_list([texts.get(number, f"[PAD{number}]") for number in range(size)])
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_eot_token_id(find_last_token(tokenizer))
    if tokenizer.bos_token_id is not None:
        writer.add_bos_token_id(tokenizer.bos_token_id)
    if tokenizer.pad_token_id is not None:
        writer.add_pad_token_id(tokenizer.pad_token_id)
    # The template writes the first token wherever training saw one.
    writer.add_add_bos_token(False)
    writer.add_chat_template(tokenizer.chat_template)


def _changes_text(data: dict[str, Any], byte_level: dict[str, Any]) -> bool:
    """Return whether a tokenizer changes text more than to Unicode's form NFC.

    Qwen's does that. llama.cpp does not, but scripts are in this form already.
    """
    normalizer = data["normalizer"]
    return bool(byte_level["add_prefix_space"]) or (
        normalizer is not None and normalizer.get("type") != "NFC"
    )
