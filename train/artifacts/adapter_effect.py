"""Whether a trained adapter changes what its base says, as servers will ask at their start."""

from typing import Any

from nothing_gpt.adapter.effect import PROBE, has_effect
from nothing_gpt.adapter.manifest import Manifest


def is_silent(model: Any, tokenizer: Any) -> bool:
    """Return whether a PEFT model says the same with and without its active adapter.

    Args:
        model: The model, in layers that take batches without labels.
        tokenizer: Its tokenizer, with the template of training.
    """
    import torch

    inputs = tokenizer.apply_chat_template(
        PROBE, add_generation_prompt=True, return_dict=True, return_tensors="pt"
    ).to(model.device)
    model.eval()

    def score() -> list[float]:
        logits = model(**inputs, use_cache=False).logits[0, -1]
        scores: list[float] = logits.float().log_softmax(dim=-1).tolist()
        return scores

    with torch.no_grad():
        with model.disable_adapter():
            first, second = score(), score()
        return not has_effect(first, second, score())


def list_effect_warnings(name: str, manifest: Manifest) -> list[str]:
    """List the warning about an adapter that changes nothing."""
    if not manifest.silent:
        return []
    rate, steps = manifest.config["learning_rate"], manifest.metrics["adapter_step"]
    return [
        f"adapter '{name}' changes nothing that {manifest.base.id} says after {steps:.0f} steps at"
        f" a learning rate of {rate:g}, and servers refuse it; try a higher rate or more steps"
    ]
