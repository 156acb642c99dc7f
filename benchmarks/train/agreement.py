"""Gradients of the fused layers compared with those of the plain layers, on one GPU.

    python -m benchmarks.train.agreement

Four layers of a Llama 3.2 3B with random weights. The plain path in float32 is the reference.
The plain path in bf16 shows how much of a difference bf16 itself causes.
"""

from typing import Any

import typer

from benchmarks.train.random_llama import build_model
from nothing_gpt.errors import reported_errors

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_LENGTHS = (731, 315, 928, 64, 1506)


@app.command(help=__doc__)
def main() -> None:
    """Print each path's loss, and its gradients' distance from the reference."""
    loss, reference = _compute_gradients("float32", fused=False)
    print(f"plain float32  loss {loss:.5f}")
    for kind, fused in (("plain bf16", False), ("fused bf16", True)):
        found, gradients = _compute_gradients("bfloat16", fused=fused)
        errors = sorted(_distance(gradients[name], reference[name]) for name in reference)
        print(
            f"{kind:14} loss {found:.5f}  gradients off by {errors[len(errors) // 2]:.4f} "
            f"in the median, {errors[-1]:.4f} at most, of {len(errors)}"
        )


def _distance(found: Any, reference: Any) -> float:
    return float((found - reference).norm() / reference.norm())


def _compute_gradients(dtype: str, *, fused: bool) -> tuple[float, dict[str, Any]]:
    """Return the loss over some documents and the gradients of all adapter weights."""
    import torch
    from peft import LoraConfig, get_peft_model
    from torch.nn.functional import cross_entropy

    from train.fused import fuse

    base = build_model("cuda", tiny=False, layers=4)
    if dtype == "float32":
        base = base.float()
    for module in base.modules():
        if hasattr(module, "compute_dtype"):
            module.compute_dtype = base.dtype
            module.weight.quant_state.dtype = base.dtype
    model: Any = get_peft_model(base, LoraConfig(r=32, lora_alpha=32, target_modules="all-linear"))
    torch.manual_seed(1)
    for name, weights in model.named_parameters():
        if "lora_" in name:
            weights.data = torch.randn(weights.shape, device="cuda") * 0.01
    documents = [torch.randint(10, 128_000, (n,), device="cuda") for n in _LENGTHS]
    targets = torch.cat([d[1:] for d in documents])
    with torch.autocast("cuda", torch.bfloat16, enabled=dtype == "bfloat16"):
        if fused:
            fuse(model)
            starts = torch.tensor([0, *_LENGTHS]).cumsum(0).to("cuda", torch.int32)
            positions = torch.cat([torch.arange(n, device="cuda") for n in _LENGTHS])
            logits = model(
                input_ids=torch.cat(documents)[None],
                position_ids=positions[None],
                cu_seq_lens_q=starts,
                max_length_q=max(_LENGTHS),
            ).logits[0]
            parts = [part[:-1] for part in logits.split(_LENGTHS)]
        else:
            parts = [model(input_ids=d[None]).logits[0, :-1] for d in documents]
        loss = cross_entropy(torch.cat(parts).float(), targets)
    loss.backward()
    found = {n: p.grad.float() for n, p in model.named_parameters() if p.grad is not None}
    return loss.item(), found


if __name__ == "__main__":
    with reported_errors():
        app()
