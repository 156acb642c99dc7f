"""The decoder for CPUs gives what transformers and PEFT give, within what its weights allow."""

import copy
import itertools
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from serve.local_engine.cpu.llama_decoder import LlamaDecoder, is_supported

ROWS, PROMPT, STEPS = 3, 21, 4
NAMES = ("one", "two")


def make_config(**changes: Any) -> LlamaConfig:
    sizes = {"vocab_size": 160, "hidden_size": 64, "intermediate_size": 128}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "num_hidden_layers": 2}
    return LlamaConfig(**sizes | heads | {"tie_word_embeddings": True} | changes)


@pytest.fixture(scope="module")
def peft() -> Any:
    """A small Llama in bf16 with two adapters."""
    torch.manual_seed(0)
    model: Any = LlamaForCausalLM(make_config())
    lora = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM")
    peft = get_peft_model(model, lora, adapter_name=NAMES[0])
    peft.add_adapter(NAMES[1], lora)
    for weight in model.parameters():  # but not the frequencies, which stay exact
        values = torch.randn_like(weight) * 0.1 if weight.ndim == 2 else weight.data
        weight.data = values.bfloat16()
    return peft.eval()


@pytest.fixture(scope="module")
def network(peft: Any) -> Any:
    return peft.base_model.model


def expected(peft: Any, ids: Tensor, names: list[str | None]) -> Tensor:
    """Return the logits after each token in float32, by transformers and PEFT."""
    exact = copy.deepcopy(peft).float()
    names_of_peft = [name or "__base__" for name in names]
    with torch.inference_mode():
        logits: Tensor = exact(ids, adapter_names=names_of_peft).logits
    return logits


def agree(found: Tensor, wanted: Tensor, *, pack: bool) -> None:
    # Packed, the input of a product is rounded to 8 bits too: 0.043 at most here.
    error = float((found - wanted).norm() / wanted.norm())
    assert error < (0.06 if pack else 1e-5)


def positions(start: int, rows: int, tokens: int) -> Tensor:
    return torch.arange(start, start + tokens).repeat(rows, 1)


@pytest.mark.parametrize("names", list(itertools.product((None, *NAMES), repeat=ROWS))[::5])
@pytest.mark.parametrize("pack", [True, False])
def test_a_prompt_and_then_single_tokens(
    peft: Any, network: Any, names: tuple[str | None, ...], *, pack: bool
) -> None:
    decoder = LlamaDecoder(network, ROWS, pack=pack)
    ids = torch.randint(160, (ROWS, PROMPT + STEPS))
    found = decoder.forward(ids[:, :PROMPT], positions(0, ROWS, PROMPT), 0, names)
    agree(found, expected(peft, ids[:, :PROMPT], [*names])[:, -1], pack=pack)
    for end in range(PROMPT, PROMPT + STEPS):
        found = decoder.forward(ids[:, end : end + 1], positions(end, ROWS, 1), 0, names)
        agree(found, expected(peft, ids[:, : end + 1], [*names])[:, -1], pack=pack)


def test_rows_of_different_lengths_and_a_copied_row(peft: Any, network: Any) -> None:
    decoder = LlamaDecoder(network, ROWS, pack=False)
    long, short = torch.randint(160, (1, 300)), torch.randint(160, (1, 9))
    decoder.forward(long[:, :299], positions(0, 1, 299), 0, ["one"])
    decoder.forward(short[:, :8], positions(0, 1, 8), 1, ["two"])
    decoder.copy_row(0, 2, 299)
    last = torch.tensor([[long[0, -1]], [short[0, -1]], [long[0, -1]]])
    places = torch.tensor([[299], [8], [299]])
    found = decoder.forward(last, places, 0, ["one", "two", None])
    agree(found[:1], expected(peft, long, ["one"])[:, -1], pack=False)
    agree(found[1:2], expected(peft, short, ["two"])[:, -1], pack=False)
    assert not torch.allclose(found[0], found[2])


def test_a_long_text_is_read_in_parts(peft: Any, network: Any) -> None:
    decoder = LlamaDecoder(network, ROWS, pack=False)
    ids = torch.randint(160, (1, 1500))
    wanted = expected(peft, ids, ["one"])[0]
    decoder.forward(ids[:, :100], positions(0, 1, 100), 1, ["one"])
    found = decoder.forward(ids[:, 100:], positions(100, 1, 1400), 1, ["one"], after_each=True)
    agree(found, wanted[100:], pack=False)
    found = decoder.forward(ids[:, 100:], positions(100, 1, 1400), 1, ["one"])
    agree(found, wanted[-1:], pack=False)


def test_the_cache_holds_what_it_held_when_it_grows(peft: Any, network: Any) -> None:
    decoder = LlamaDecoder(network, ROWS, pack=False)
    ids = torch.randint(160, (1, 258))
    decoder.forward(ids[:, :256], positions(0, 1, 256), 2, ["two"])
    decoder.forward(ids[:, 256:257], positions(256, 1, 1), 2, ["two"])
    found = decoder.forward(ids[:, 257:], positions(257, 1, 1), 2, ["two"])
    agree(found, expected(peft, ids, ["two"])[:, -1], pack=False)


def test_what_is_not_a_plain_llama_in_bf16_is_left_to_transformers(network: Any) -> None:
    assert is_supported(network, NAMES)
    assert not is_supported(LlamaForCausalLM(network.config).float(), ())
    odd = make_config(intermediate_size=96)
    assert not is_supported(LlamaForCausalLM(odd).bfloat16(), ())
