"""How many held-out votes a tuned adapter agrees with more than the one it began as."""

from collections.abc import Sequence
from typing import Any

from nothing_gpt.prompt import Message
from nothing_gpt.votes.share import Share
from nothing_gpt.votes.vote import Rating
from train.data.chat_example import ChatExample
from train.export.held_out_loss import encode_examples, measure_loss
from train.generation import drop_ending, find_last_token
from train.preferences.held_out_scenes import used_adapter
from train.preferences.preference_run import AnyVote
from train.preferences.vote_trainer import REFERENCE


def count_liked(model: Any, tokenizer: Any, votes: Sequence[AnyVote], most: int) -> Share:
    """Count the votes whose chosen text became likelier, relative to the rejected one.

    Args:
        model: The model with both adapters.
        tokenizer: Its tokenizer.
        votes: The votes; of a rating the text itself must have become likelier, or less likely.
        most: Tokens of a text at most.
    """
    moved = [_measure_move(model, tokenizer, vote, most) for vote in votes]
    return Share(sum(value > 0 for value in moved), len(moved))


def _measure_move(model: Any, tokenizer: Any, vote: AnyVote, most: int) -> float:
    """Return how far the log-probabilities moved to what the vote wants, in nats."""
    signed = (
        [(vote.completion, 1 if vote.label else -1)]
        if isinstance(vote, Rating)
        else [(vote.chosen, 1), (vote.rejected, -1)]
    )
    moved, last = 0.0, find_last_token(tokenizer)
    for completion, sign in signed:
        example = _to_example(vote.prompt, completion)
        for ids, start in encode_examples(tokenizer, [example], most):
            answer = drop_ending(ids[start:], last)
            encoded = [(ids[:start] + answer, start)]
            with used_adapter(model, REFERENCE):
                before = measure_loss(model, encoded)
            moved += sign * len(answer) * (before - measure_loss(model, encoded))
    return moved


def _to_example(prompt: Sequence[Message], completion: Sequence[Message]) -> ChatExample:
    def plain(messages: Sequence[Message]) -> list[dict[str, str]]:
        return [{"role": each["role"], "content": each["content"]} for each in messages]

    return {"prompt": plain(prompt), "completion": plain(completion)}
