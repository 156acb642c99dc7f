"""The fused layers against PEFT's and transformers' own, in float32."""

from itertools import product
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import AutoConfig, AutoModelForCausalLM, set_seed

from train.estimate.memory import TILE
from train.fused import explain_unfit, fuse
from train.fused.elementwise import drop
from train.fused.head import completion_loss
from train.fused.install import plain_attention
from train.fused.layer import PackedBatch
from train.fused.projection import copy_adapters

LENGTHS = (5, 11, 1, 8)


def build(family: str = "llama", *, fused: bool, dropout: float = 0.0) -> Any:
    """A small model with shared key heads and adapters that already do something."""
    set_seed(0)
    config = AutoConfig.for_model(
        family,
        vocab_size=97,
        hidden_size=48,
        intermediate_size=80,
        num_hidden_layers=3,
        num_attention_heads=6,
        num_key_value_heads=2,
        head_dim=8,
        pad_token_id=0,
    )
    lora = LoraConfig(
        r=4, lora_alpha=8, lora_dropout=dropout, target_modules="all-linear", bias="none"
    )
    model: Any = get_peft_model(AutoModelForCausalLM.from_config(config).float(), lora)
    draw = torch.Generator().manual_seed(1)
    for name, weights in model.named_parameters():
        if "lora_B" in name or name.endswith(".bias"):
            weights.data = torch.randn(weights.shape, generator=draw) * 0.05
        if name.endswith("_norm.weight"):
            weights.data = 1 + torch.randn(weights.shape, generator=draw) * 0.2
    if fused:
        fuse(model)
    return model


def documents(lengths: tuple[int, ...] = LENGTHS) -> list[Tensor]:
    draw = torch.Generator().manual_seed(2)
    return [torch.randint(1, 97, (n,), generator=draw) for n in lengths]


def flat(parts: list[Tensor]) -> dict[str, Any]:
    sizes = torch.tensor([0, *(len(p) for p in parts)], dtype=torch.int32)
    starts = sizes.cumsum(0, dtype=torch.int32)
    longest = int(sizes.max())
    return {
        "input_ids": torch.cat(parts)[None],
        "position_ids": torch.cat([torch.arange(len(p)) for p in parts])[None],
        "cu_seq_lens_q": starts,
        "cu_seq_lens_k": starts,
        "max_length_q": longest,
        "max_length_k": longest,
    }


def gradients(model: Any) -> dict[str, Tensor]:
    return {n: p.grad for n, p in model.named_parameters() if p.grad is not None}


EVERY, NOTHING = (True,) * 3, (False,) * 3


@pytest.mark.parametrize(
    ("family", "kept"),
    [
        *product(["llama"], product((True, False), repeat=3)),
        *product(["mistral", "qwen2", "qwen3"], [EVERY, NOTHING]),
    ],
)
def test_outputs_and_gradients_are_the_plain_ones(
    family: str, kept: tuple[bool, bool, bool]
) -> None:
    plain, fused = build(family, fused=False), build(family, fused=False)
    for layer in fuse(fused):
        layer.keep_attention, layer.keep_mlp, layer.keep_norms = kept
        if all(kept):
            for group in layer.groups:
                group.keep_unpacked()
    expected = torch.cat([plain(input_ids=ids[None]).logits[0] for ids in documents()])
    found = fused(**flat(documents())).logits[0]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    weights = torch.randn(expected.shape, generator=torch.Generator().manual_seed(3))
    (expected * weights).sum().backward()
    (found * weights).sum().backward()
    want, got = gradients(plain), gradients(fused)
    assert len(want) == 3 * 7 * 2
    torch.testing.assert_close(got, want, rtol=1e-3, atol=1e-4)


def test_documents_do_not_see_each_other() -> None:
    model = build(fused=True).eval()
    parts = documents()
    before = model(**flat(parts)).logits[0]
    parts[1] = (parts[1] + 1) % 97
    after = model(**flat(parts)).logits[0]
    changed = (before != after).any(dim=-1)
    assert changed.tolist() == [False] * 5 + [True] * 11 + [False] * 9


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("family", ["llama", "qwen3"])
def test_gradients_under_dropout(family: str, kept: bool) -> None:  # noqa: FBT001
    """Numerically: what the backward pass drops is what the forward pass dropped."""
    model = build(family, fused=False, dropout=0.3).double()
    layer = fuse(model)[1]
    layer.keep_attention = layer.keep_mlp = kept
    h = torch.randn(9, 48, dtype=torch.float64, requires_grad=True)
    angles = torch.randn(9, 4, dtype=torch.float64).repeat(1, 2)
    starts = torch.tensor([0, 4, 9], dtype=torch.int32)
    seeds = torch.randint(2**31 - 1, (3, 4, 1), dtype=torch.int32)
    batch = PackedBatch(angles.cos(), angles.sin(), starts, 5, 0.3, seeds)

    def run(*_: Tensor) -> Tensor:
        copy_adapters(layer.groups, h)
        return layer.run(h, batch)

    watched = [h, *layer.qkv.adapters[2:4], layer.down.adapters[0], layer.gate_up.adapters[3]]
    assert torch.autograd.gradcheck(run, watched, eps=1e-6, atol=1e-6, fast_mode=True)


@pytest.mark.parametrize("p", [0.1, 0.5])
def test_dropout_drops_its_share_and_keeps_the_mean(p: float) -> None:
    x = torch.ones(400, 300)
    first, second = (drop(x, torch.tensor([s], dtype=torch.int32), p) for s in (7, 8))
    assert (first == 0).float().mean().item() == pytest.approx(p, abs=0.005)
    assert first.mean().item() == pytest.approx(1, abs=0.01)
    both = ((first == 0) & (second == 0)).float().mean().item()
    assert both == pytest.approx(p * p, abs=0.005)
    for axis in (0, 1):
        assert (first == 0).float().mean(axis).std().item() < 2 * (p / 300) ** 0.5


@pytest.mark.parametrize("family", ["llama", "mistral", "qwen2", "qwen3"])
def test_the_families_that_it_takes(family: str) -> None:
    assert explain_unfit(build(family, fused=False).get_base_model(), 64) is None


def test_what_it_does_not_take_is_said() -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    small = GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=8, n_head=2, vocab_size=9))
    assert explain_unfit(small, 64) == (
        "it takes llama, mistral, qwen2, qwen3, and this base is a 'gpt2'"
    )
    mistral = build("mistral", fused=False).get_base_model()
    mistral.config.sliding_window = 32
    assert explain_unfit(mistral, 32) is None
    assert explain_unfit(mistral, 64) == (
        "this base sees 32 tokens back, fewer than an example's 64"
    )
    assert "'gelu'" in str(explain_unfit(_with_gelu(), 64))


def _with_gelu() -> Any:
    model = build(fused=False).get_base_model()
    model.config.hidden_act = "gelu"
    return model


def test_head_is_a_cross_entropy_over_several_tiles() -> None:
    draw = torch.Generator().manual_seed(4)
    hidden, weight = (torch.randn(n, 8, generator=draw) for n in (3 * TILE, 31))
    hidden.requires_grad_()
    places = torch.arange(5, 3 * TILE - 7)
    targets = torch.randint(31, places.shape, generator=draw)
    found = completion_loss(hidden, weight, places, targets) * 0.25
    (slope,) = torch.autograd.grad(found, hidden)
    expected = cross_entropy(hidden[places] @ weight.t(), targets, reduction="sum") * 0.25
    (true_slope,) = torch.autograd.grad(expected, hidden)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(slope, true_slope)
    with torch.no_grad():
        torch.testing.assert_close(
            completion_loss(hidden, weight, places, targets) * 0.25, expected
        )


def test_a_fused_model_generates_what_the_plain_one_does_and_trains_on() -> None:
    plain, fused = build(fused=False).eval(), build(fused=True).eval()
    prompts = torch.tensor([[0, 0, 5, 9, 11], [3, 8, 2, 6, 7]])
    given = {"input_ids": prompts, "attention_mask": (prompts > 0).long()}
    before = fused(**flat(documents())).logits
    expected = plain.generate(**given, max_new_tokens=12, do_sample=False)
    with plain_attention(fused):
        assert torch.equal(fused.generate(**given, max_new_tokens=12, do_sample=False), expected)
    assert torch.equal(fused(**flat(documents())).logits, before)
