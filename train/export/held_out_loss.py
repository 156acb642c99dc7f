"""The held-out loss of a model, to compare an exported one with the trained one."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from nothing_gpt.progress.log import log_progress
from train.data.chat_example import ChatExample

Encoded = tuple[list[int], int]
"""Token ids of an example, and the number of prompt tokens."""

ReadLosses = Callable[[Any, Sequence[Encoded]], list[float]]
"""Returns the loss of a model for each example, summed over its completion tokens, in nats."""


def encode_examples(tokenizer: Any, examples: Iterable[ChatExample], most: int) -> list[Encoded]:
    """Encode examples as in training, with at most `most` tokens each."""
    encoded = []
    for example in examples:
        prompt = _render(tokenizer, example["prompt"], add_generation_prompt=True)
        whole = _render(tokenizer, example["prompt"] + example["completion"])
        encoded.append((whole[:most], len(prompt)))
    return [(ids, start) for ids, start in encoded if start < len(ids)]


def read_losses(model: Any, examples: Sequence[Encoded]) -> list[float]:
    """Return the losses of any model of transformers, summed over the completion tokens."""
    import torch

    losses = []
    for ids, start in examples:
        tokens = torch.tensor([ids], device=model.device)
        targets = tokens[0, start:]
        scored = model(input_ids=tokens, use_cache=False, logits_to_keep=len(targets) + 1)
        logits = scored.logits[0, :-1].float()
        losses.append(float(torch.nn.functional.cross_entropy(logits, targets, reduction="sum")))
    return losses


def measure_loss(
    model: Any, encoded: list[Encoded], title: str = "", read: ReadLosses = read_losses
) -> float:
    """Return the mean loss over all completion tokens, in nats a token.

    Compare it only with other results of this function: the trainer's figure differs a little.

    Args:
        model: The model.
        encoded: The examples.
        title: What the progress is called; without it none is printed.
        read: How the losses of examples are computed.
    """
    import torch

    model.eval()
    total, count = 0.0, 0
    advance = log_progress(title, len(encoded)) if title else None
    with torch.inference_mode():
        for example in encoded:
            total += sum(read(model, [example]))
            count += len(example[0]) - example[1]
            if advance:
                advance(f"loss {total / count:.3f}")
    return total / count


def _render(tokenizer: Any, messages: list[dict[str, str]], **options: bool) -> list[int]:
    ids: list[int] = tokenizer.apply_chat_template(messages, return_dict=True, **options)[
        "input_ids"
    ]
    return ids
