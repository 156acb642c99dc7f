"""Batches padded for CUDA graphs, and on a GPU the graphs themselves."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.train.fused.test_fused import LENGTHS, build, documents, flat, gradients
from train.fused import fuse
from train.fused.step_graphs import BatchSize, pad_batch, round_size

BOUNDS = st.integers(1, 40_000)


def learnable(lengths: tuple[int, ...] = LENGTHS, device: str = "cpu") -> dict[str, Any]:
    """A batch whose every second token is to be predicted."""
    batch = flat(documents(lengths))
    places = torch.arange(0, batch["input_ids"].shape[1] - 1, 2)
    batch |= {"places": places, "targets": batch["input_ids"][0, places + 1]}
    return {k: v.to(device) if isinstance(v, torch.Tensor) else v for k, v in batch.items()}


@settings(deadline=None)
@given(tokens=BOUNDS, targets=BOUNDS, longest=st.integers(1, 2048))
def test_sizes_are_larger_and_few(tokens: int, targets: int, longest: int) -> None:
    batch = {
        "input_ids": torch.empty(1, tokens, device="meta"),
        "targets": torch.empty(targets, device="meta"),
        "max_length_q": longest,
        "cu_seq_lens_q": torch.empty(3, device="meta"),
    }
    size = round_size(batch)
    spare = size.tokens - tokens
    assert 1 <= spare <= max(1, tokens / 8)
    assert targets <= size.targets <= max(targets * 1.25, targets + 1)
    assert size.longest >= max(longest, spare)
    assert size.longest.bit_count() == 1


def test_padding_changes_neither_loss_nor_gradients() -> None:
    plain, padded = build(fused=True), build(fused=True)
    batch = learnable()
    expected = plain(**batch)
    expected.backward()
    found = padded(**pad_batch(batch, BatchSize(tokens=32, targets=16, longest=16, documents=5)))
    found.backward()
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gradients(padded), gradients(plain))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA graphs need a GPU")
def test_graphs_compute_what_the_layers_compute() -> None:
    """The second batch of a size, and those after it, run from a graph."""
    model = build(fused=False, dropout=0.1).to("cuda", torch.bfloat16)
    fuse(model)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    losses, slopes = [], []
    for lengths in (LENGTHS, LENGTHS, LENGTHS[::-1]):
        model.zero_grad()
        torch.manual_seed(5)
        loss = model(**learnable(lengths, "cuda")) / 7
        loss.backward()
        losses.append(loss.detach())
        slopes.append({k: v.clone() for k, v in gradients(model).items()})
    torch.testing.assert_close(losses[1], losses[0], rtol=1e-3, atol=0)
    torch.testing.assert_close(slopes[1], slopes[0], rtol=0.05, atol=2e-3)
    assert losses[2] != losses[1]
