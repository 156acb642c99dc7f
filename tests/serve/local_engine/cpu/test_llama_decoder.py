"""The decoder for CPUs gives what transformers and PEFT give, within what its weights allow."""

import itertools
from typing import Any, get_args

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from serve.local_engine.cpu.linear import Precision
from serve.local_engine.cpu.llama_decoder import LlamaDecoder, is_supported

ROWS, PROMPT, STEPS = 3, 21, 4
NAMES = ("one", "two")


@pytest.fixture(scope="module")
def network() -> Any:
    """A small Llama in bf16 with two adapters."""
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
@pytest.mark.parametrize("precision", get_args(Precision))
@torch.inference_mode()
def test_a_prompt_and_then_single_tokens(
    network: Any, names: tuple[str | None, ...], precision: Precision
) -> None:
    decoder = LlamaDecoder(network, NAMES, ROWS, precision)
    ids = torch.randint(160, (ROWS, PROMPT + STEPS))
    found = decoder.forward(ids[:, :PROMPT], positions(0, ROWS, PROMPT), 0, names)
    agree(found, expected(network, ids[:, :PROMPT], [*names]))
    for end in range(PROMPT, PROMPT + STEPS):
        found = decoder.forward(ids[:, end : end + 1], positions(end, ROWS, 1), 0, names)
        agree(found, expected(network, ids[:, : end + 1], [*names]))


@torch.inference_mode()
def test_rows_of_different_lengths_and_a_copied_row(network: Any) -> None:
    decoder = LlamaDecoder(network, NAMES, ROWS, "bfloat16")
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


@torch.inference_mode()
def test_a_row_is_the_same_whatever_runs_beside_it(network: Any) -> None:
    ids = torch.randint(160, (ROWS, PROMPT))
    together = LlamaDecoder(network, NAMES, ROWS, "int8").forward(
        ids, positions(0, ROWS, PROMPT), 0, ["one", None, "two"]
    )
    alone = LlamaDecoder(network, NAMES, ROWS, "int8").forward(
        ids[2:], positions(0, 1, PROMPT), 2, ["two"]
    )
    torch.testing.assert_close(together[2:], alone, rtol=1e-3, atol=1e-3)


@torch.inference_mode()
def test_logits_after_several_tokens(network: Any) -> None:
    ids = torch.randint(160, (1, PROMPT))
    decoder = LlamaDecoder(network, NAMES, ROWS, "bfloat16")
    found = decoder.forward(ids, positions(0, 1, PROMPT), 0, ["one"], after_each=True)[-4:]
    wanted = network.peft(ids, adapter_names=["one"]).logits[0, -4:].float()
    agree(found, wanted)


def test_what_is_not_a_plain_llama_in_bf16_is_left_to_transformers(
    network: Any,
) -> None:
    assert is_supported(network, NAMES)
    assert not is_supported(LlamaForCausalLM(network.config).float(), ())
