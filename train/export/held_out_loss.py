"""The held-out loss of a model, to compare an exported one with the trained one."""

from collections.abc import Iterable
from typing import Any

from train.data.chat_example import ChatExample

Encoded = tuple[list[int], int]
"""Token ids of an example, and the number of prompt tokens."""


def encode_examples(tokenizer: Any, examples: Iterable[ChatExample], most: int) -> list[Encoded]:
    """Encode examples as in training, with at most `most` tokens each."""
    encoded = []
    for example in examples:
        prompt = _render(tokenizer, example["prompt"], add_generation_prompt=True)
        whole = _render(tokenizer, example["prompt"] + example["completion"])
        encoded.append((whole[:most], len(prompt)))
    return [(ids, start) for ids, start in encoded if start < len(ids)]


def measure_loss(model: Any, encoded: list[Encoded]) -> float:
    """Return the mean loss over all completion tokens, in nats a token.

    Compare it only with other results of this function: the trainer's figure differs a little.
    """
    import torch

    model.eval()
    total, count = 0.0, 0
    with torch.inference_mode():
        for ids, start in encoded:
            tokens = torch.tensor([ids], device=model.device)
            targets = tokens[0, start:]
            scored = model(input_ids=tokens, use_cache=False, logits_to_keep=len(targets) + 1)
            logits = scored.logits[0, :-1].float()
            total += float(torch.nn.functional.cross_entropy(logits, targets, reduction="sum"))
            count += len(targets)
    return total / count


def _render(tokenizer: Any, messages: list[dict[str, str]], **options: bool) -> list[int]:
    ids: list[int] = tokenizer.apply_chat_template(messages, return_dict=True, **options)[
        "input_ids"
    ]
    return ids
