"""Answers that a model writes inside a training or an export, by transformers' `generate`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nothing_gpt.show import Generation

if TYPE_CHECKING:
    from torch import Tensor

_SORTED = 512
"""Tokens among which `top_p` is looked for first."""

_EXAMPLE = [
    {"role": "system", "content": "An example of a system message."},
    {"role": "user", "content": "[ANN] An example of a line."},
    {"role": "assistant", "content": "[BOB] An example of an answer."},
]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model wrote, and whether it ended there by itself."""

    text: str
    ended: bool


def write_answers(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[Any],
    settings: Generation,
    seed: int,
    *,
    top_k: int = 0,
) -> list[Answer]:
    """Let a model answer prompts in one batch. Random numbers outside stay as they are.

    Args:
        model: The model.
        tokenizer: Its tokenizer, with the template of training.
        prompts: The messages before each answer.
        settings: The sampling.
        seed: The seed of the sampling.
        top_k: Draw from so many likeliest tokens; 0 from all.
    """
    import torch
    from transformers import GenerationConfig, LogitsProcessorList

    prompt = tokenizer.apply_chat_template(
        [list(messages) for messages in prompts],
        add_generation_prompt=True,
        padding=len(prompts) > 1,
        return_dict=True,
        return_tensors="pt",
        tokenizer_kwargs={"padding_side": "left"},
    ).to(model.device)
    last = find_last_token(tokenizer)
    model.eval()
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        written = model.generate(
            **prompt,
            past_key_values=_read_repeated(model, prompt),
            logits_processor=LogitsProcessorList(
                [
                    Penalties(settings, prompt["input_ids"].shape[1]),
                    Sampling(settings.temperature, settings.top_p, top_k),
                ]
            ),
            generation_config=GenerationConfig(
                max_new_tokens=settings.max_tokens, eos_token_id=last, pad_token_id=last
            ),
        )
    new = written[:, prompt["input_ids"].shape[1] :]
    texts = tokenizer.batch_decode(new, skip_special_tokens=True)
    return [
        Answer(text.strip(), ended=last in ids)
        for text, ids in zip(texts, new.tolist(), strict=True)
    ]


def _read_repeated(model: Any, prompt: Mapping[str, "Tensor"]) -> Any:
    """Read prompts that are there several times once, all but their last tokens.

    Returns:
        The cache of all prompts; None if each is there once.
    """
    import torch

    mask = prompt["attention_mask"]
    # Prompts with the same tokens have the same padding.
    ids, kinds = torch.unique(prompt["input_ids"], dim=0, return_inverse=True)
    if len(ids) == len(kinds):
        return None
    kept = torch.stack([mask[kinds == kind][0] for kind in range(len(ids))])
    read = model(
        input_ids=ids[:, :-1],
        attention_mask=kept[:, :-1],
        position_ids=(kept.cumsum(1) - 1).clamp(min=0)[:, :-1],
        use_cache=True,
        logits_to_keep=1,
    )
    read.past_key_values.batch_select_indices(kinds)
    return read.past_key_values


class Penalties:
    """The penalties of OpenAI's API for tokens that an answer already has, as servers apply them.

    Args:
        settings: The sampling.
        start: The tokens before each answer; they are not counted.
    """

    def __init__(self, settings: Generation, start: int) -> None:
        self._presence, self._frequency = settings.presence_penalty, settings.frequency_penalty
        self._start = start

    def __call__(self, ids: "Tensor", scores: "Tensor") -> "Tensor":
        """Return the scores of the next tokens, (answers, vocabulary), with the penalties."""
        import torch

        written = ids[:, self._start :]
        counts = torch.zeros_like(scores).scatter_add_(
            1, written, torch.ones_like(written, dtype=scores.dtype)
        )
        return scores - self._frequency * counts - self._presence * (counts > 0)


class Sampling:
    """Draws the next tokens; all others get no chance.

    Transformers' own sampling sorts the vocabulary and draws a number for each of its tokens. That
    took half of the time of 48 answers of a small model on a CPU.

    Args:
        temperature: At 0 the likeliest token is taken.
        top_p: The probability of the likeliest tokens that are drawn from.
        top_k: Draw from so many likeliest tokens; 0 from all.
    """

    def __init__(self, temperature: float, top_p: float, top_k: int) -> None:
        self._temperature, self._top_p, self._top_k = max(temperature, 1e-4), top_p, top_k

    def __call__(self, ids: "Tensor", scores: "Tensor") -> "Tensor":
        """Return scores that leave one token to each answer, (answers, vocabulary)."""
        import torch

        del ids
        logits = scores.float() / self._temperature
        size = logits.shape[1]
        total = logits.logsumexp(1, keepdim=True)

        def find_likeliest(count: int) -> "tuple[Tensor, Tensor]":
            top = logits.topk(min(count, size))
            return (top.values - total).exp(), top.indices

        shares, tokens = find_likeliest(self._top_k or _SORTED)
        if self._top_k:
            shares /= shares.sum(1, keepdim=True)
        elif (shares.sum(1) < self._top_p).any():
            shares, tokens = find_likeliest(size)
        before = shares.cumsum(1) - shares
        drawn = torch.multinomial(shares.masked_fill(before >= self._top_p, 0.0), 1)
        return torch.full_like(scores, -torch.inf).scatter_(1, tokens.gather(1, drawn), 0.0)


def find_last_token(tokenizer: Any) -> int:
    """Return the control token that ends an answer."""
    ids = tokenizer.apply_chat_template(_EXAMPLE, return_dict=False)
    return int(
        next(number for number in reversed(ids) if number in tokenizer.added_tokens_decoder)
    )


def drop_ending(ids: list[int], last: int) -> list[int]:
    """Return the tokens of an answer without the control token that ends it and what follows."""
    return ids[: ids.index(last)] if last in ids else ids
