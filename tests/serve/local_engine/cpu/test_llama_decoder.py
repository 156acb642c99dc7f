"""The decoder for CPUs gives what transformers and PEFT give, within what its weights allow."""

import itertools
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from serve.local_engine.cpu.llama_decoder import LlamaDecoder, is_supported
from serve.local_engine.cpu.packed_weights import PackedLinear

ROWS, PROMPT, STEPS = 3, 21, 4
NAMES = ("one", "two")


@pytest.fixture(scope="module")
def network() -> Any:
    """A small Llama in bf16 with two adapters, its weights those of a 4-bit file."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=160,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=True,
    )
    model: Any = LlamaForCausalLM(config).bfloat16()
    for name, weight in model.named_parameters():
        if weight.ndim == 2 and "embed" not in name:
            steps = torch.randint(0, 16, weight.shape)
            steps[:, ::32], steps[:, 1::32] = 0, 15  # the whole range in each group
            weight.data = (steps * 0.01 - 0.07).bfloat16()
    lora = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM")
    peft = get_peft_model(model, lora, adapter_name=NAMES[0])
    peft.add_adapter(NAMES[1], lora)
    for name, weight in model.named_parameters():
        if "lora_" in name:
            weight.data = torch.randn_like(weight) * 0.1
    model.peft = peft.eval()
    return model


def expected(network: Any, ids: Tensor, names: list[str | None]) -> Tensor:
    logits = network.peft(ids, adapter_names=[name or "__base__" for name in names]).logits
    found: Tensor = logits[:, -1].float()
    return found


def agree(found: Tensor, wanted: Tensor) -> None:
    similarity = torch.nn.functional.cosine_similarity(found, wanted, dim=1)
    assert similarity.min() > 0.999
    assert (found - wanted).norm() < 0.03 * wanted.norm()


def positions(start: int, rows: int, tokens: int) -> Tensor:
    return torch.arange(start, start + tokens).repeat(rows, 1)


@pytest.mark.parametrize("names", list(itertools.product((None, *NAMES), repeat=ROWS))[::5])
@torch.inference_mode()
def test_a_prompt_and_then_single_tokens(network: Any, names: tuple[str | None, ...]) -> None:
    decoder = LlamaDecoder(network, NAMES, ROWS)
    ids = torch.randint(160, (ROWS, PROMPT + STEPS))
    found = decoder.forward(ids[:, :PROMPT], positions(0, ROWS, PROMPT), 0, names)
    agree(found, expected(network, ids[:, :PROMPT], [*names]))
    for end in range(PROMPT, PROMPT + STEPS):
        found = decoder.forward(ids[:, end : end + 1], positions(end, ROWS, 1), 0, names)
        agree(found, expected(network, ids[:, : end + 1], [*names]))


@torch.inference_mode()
def test_rows_of_different_lengths_and_a_copied_row(network: Any) -> None:
    decoder = LlamaDecoder(network, NAMES, ROWS)
    long, short = torch.randint(160, (1, 300)), torch.randint(160, (1, 9))
    decoder.forward(long[:, :299], positions(0, 1, 299), 0, ["one"])
    decoder.forward(short[:, :8], positions(0, 1, 8), 1, ["two"])
    decoder.copy_row(0, 2, 299)
    last = torch.tensor([[long[0, -1]], [short[0, -1]], [long[0, -1]]])
    places = torch.tensor([[299], [8], [299]])
    found = decoder.forward(last, places, 0, ["one", "two", None])
    agree(found[:1], expected(network, long, ["one"]))
    agree(found[1:2], expected(network, short, ["two"]))
    assert not torch.allclose(found[0], found[2])


def test_weights_of_a_4_bit_file_stay_as_they_are() -> None:
    steps = torch.randint(0, 16, (64, 96))
    steps[:, ::32], steps[:, 1::32] = 0, 15
    weight = (steps * 0.02 - 0.1).bfloat16()
    packed = PackedLinear(weight)
    x = torch.randn(2, 96).bfloat16()
    wanted = x.float() @ weight.float().t()
    assert packed.bits == 4
    assert (packed(x).float() - wanted).norm() < 0.01 * wanted.norm()


def test_other_weights_are_packed_in_8_bits() -> None:
    weight = torch.randn(64, 96).bfloat16()
    packed = PackedLinear(weight)
    x = torch.randn(2, 96).bfloat16()
    wanted = x.float() @ weight.float().t()
    assert packed.bits == 8
    assert (packed(x).float() - wanted).norm() < 0.02 * wanted.norm()


def test_what_is_not_a_plain_llama_in_bf16_is_left_to_transformers(
    network: Any,
) -> None:
    assert is_supported(network, NAMES)
    assert not is_supported(LlamaForCausalLM(network.config).float(), ())
