import pytest
import torch

from train.base_model.loading import compute_dtype


@pytest.mark.parametrize(
    ("card", "capability", "dtype"),
    [
        ("T4", (7, 5), torch.float16),
        ("L4", (8, 9), torch.bfloat16),
        ("A10", (8, 6), torch.bfloat16),
        ("H200", (9, 0), torch.bfloat16),
    ],
)
def test_a_card_without_bf16_trains_in_fp16(
    card: str, capability: tuple[int, int], dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda: capability)
    assert compute_dtype(quantized=True) == dtype, card


def test_a_cpu_trains_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert compute_dtype(quantized=True) == torch.float32
