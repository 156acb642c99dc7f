"""Attention written out for CPUs has the values and gradients of torch's own."""

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from train.fused.cpu_attention import attend


def assert_same_gradients(
    found: torch.Tensor, wanted: torch.Tensor, *inputs: torch.Tensor
) -> None:
    """Compare the gradients of two results; those of keys and values are summed in float32."""
    weights = torch.randn_like(wanted)
    ours, others = (torch.autograd.grad(each, inputs, weights) for each in (found, wanted))
    torch.testing.assert_close(ours, others, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("tokens", [1, 2, 255, 256, 257, 700])
@pytest.mark.parametrize(("heads", "groups"), [(9, 3), (4, 4)])
def test_values_and_gradients(tokens: int, heads: int, groups: int) -> None:
    torch.manual_seed(tokens)
    q, k, v = (
        torch.randn(tokens, count, 16, dtype=torch.float64, requires_grad=True)
        for count in (heads, groups, groups)
    )
    rows = [x.transpose(0, 1)[None] for x in (q, k, v)]
    wanted = scaled_dot_product_attention(
        rows[0], rows[1], rows[2], is_causal=True, enable_gqa=True
    )[0].transpose(0, 1)
    found = attend(q, k, v)
    torch.testing.assert_close(found, wanted)
    assert_same_gradients(found, wanted, q, k, v)


def test_queries_of_the_last_tokens_are_enough() -> None:
    torch.manual_seed(0)
    q, k, v = (torch.randn(600, count, 16, requires_grad=True) for count in (9, 3, 3))
    whole, last = attend(q, k, v)[300:], attend(q[300:], k, v)
    torch.testing.assert_close(last, whole)
    assert_same_gradients(last, whole, q, k, v)


def test_bf16_rounds_no_more_than_torch_does() -> None:
    torch.manual_seed(0)
    exact = [torch.randn(300, count, 64, requires_grad=True) for count in (9, 3, 3)]
    narrow = [x.detach().bfloat16().requires_grad_() for x in exact]
    wanted = attend(*exact)
    found = attend(*narrow)
    assert (found - wanted).norm() < 0.01 * wanted.norm()
    weights = torch.randn_like(wanted)
    for ours, true in zip(
        torch.autograd.grad(found, narrow, weights.bfloat16()),
        torch.autograd.grad(wanted, exact, weights),
        strict=True,
    ):
        assert (ours - true).norm() < 0.02 * true.norm()
