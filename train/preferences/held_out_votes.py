"""How many held-out votes a tuned adapter agrees with more than the one it began as."""

from collections.abc import Iterator, Sequence
from typing import Any

from nothing_gpt.progress.log import log_progress
from nothing_gpt.prompt import Message
from nothing_gpt.votes.share import Share
from nothing_gpt.votes.vote import Rating
from train.data.chat_example import ChatExample
from train.export.held_out_loss import Encoded, ReadLosses, encode_examples
from train.generation import drop_ending, find_last_token
from train.preferences.preference_run import AnyVote
from train.preferences.trainer.reference_adapter import used_reference


def count_liked(
    model: Any, tokenizer: Any, votes: Sequence[AnyVote], most: int, read: ReadLosses
) -> Share:
    """Count the votes whose chosen text became likelier, relative to the rejected one.

    Args:
        model: The model with both adapters.
        tokenizer: Its tokenizer.
        votes: The votes; of a rating the text itself must have become likelier, or less likely.
        most: Tokens of a text at most.
        read: How the losses of texts are computed.
    """
    import torch

    texts = [_list_texts(tokenizer, vote, most) for vote in votes]
    advance = log_progress("measuring held-out votes", 2 * len(texts))

    def measure(status: str) -> Iterator[float]:
        for each in texts:
            losses = read(model, [text for _, text in each])
            yield sum(sign * loss for (sign, _), loss in zip(each, losses, strict=True))
            advance(status)

    model.eval()
    with torch.inference_mode():
        with used_reference(model):
            before = list(measure("before the tuning"))
        after = list(measure("after it"))
    return Share(sum(a < b for b, a in zip(before, after, strict=True)), len(votes))


def _list_texts(tokenizer: Any, vote: AnyVote, most: int) -> list[tuple[int, Encoded]]:
    """List a vote's texts without their ends; the sign is 1 where a lower loss is wanted."""
    signed = (
        [(vote.completion, 1 if vote.label else -1)]
        if isinstance(vote, Rating)
        else [(vote.chosen, 1), (vote.rejected, -1)]
    )
    last = find_last_token(tokenizer)
    return [
        (sign, (ids[:start] + drop_ending(ids[start:], last), start))
        for completion, sign in signed
        for ids, start in encode_examples(tokenizer, [_to_example(vote.prompt, completion)], most)
    ]


def _to_example(prompt: Sequence[Message], completion: Sequence[Message]) -> ChatExample:
    def plain(messages: Sequence[Message]) -> list[dict[str, str]]:
        return [{"role": each["role"], "content": each["content"]} for each in messages]

    return {"prompt": plain(prompt), "completion": plain(completion)}
