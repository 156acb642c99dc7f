"""Answers that a model writes inside a training or an export, by transformers' `generate`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nothing_gpt.show import Generation

if TYPE_CHECKING:
    from torch import Tensor

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
    from transformers import LogitsProcessorList

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
            do_sample=True,
            temperature=settings.temperature,
            top_p=settings.top_p,
            top_k=top_k,
            logits_processor=LogitsProcessorList(
                [Penalties(settings, prompt["input_ids"].shape[1])]
            ),
            max_new_tokens=settings.max_tokens,
            eos_token_id=last,
            pad_token_id=last,
        )
    new = written[:, prompt["input_ids"].shape[1] :]
    texts = tokenizer.batch_decode(new, skip_special_tokens=True)
    return [
        Answer(text.strip(), ended=last in ids)
        for text, ids in zip(texts, new.tolist(), strict=True)
    ]


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


def find_last_token(tokenizer: Any) -> int:
    """Return the control token that ends an answer."""
    ids = tokenizer.apply_chat_template(_EXAMPLE, return_dict=False)
    return int(
        next(number for number in reversed(ids) if number in tokenizer.added_tokens_decoder)
    )


def drop_ending(ids: list[int], last: int) -> list[int]:
    """Return the tokens of an answer without the control token that ends it and what follows."""
    return ids[: ids.index(last)] if last in ids else ids
