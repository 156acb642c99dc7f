"""The votes that an adapter can learn from, and what speaks against them."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from nothing_gpt.errors import UserError
from nothing_gpt.line import Line, parse_lines
from nothing_gpt.prompt import Message, build_messages, parts_of
from nothing_gpt.quotation import hash_speech
from nothing_gpt.show import FormatName, Show
from nothing_gpt.votes.share import Share
from nothing_gpt.votes.vote import Rating, Vote
from train.data.chat_example import ChatExample
from train.data.examples import contents
from train.preferences.preference_run import AnyVote

_Kind = TypeVar("_Kind", Vote, Rating)

_PER_PROMPT = 2
"""Votes of one prompt at most, so that no scene decides alone."""

_HELD_OUT = 0.2
"""Share of the votes that are not learned from, to see whether others like them are liked more."""


@dataclass(frozen=True, slots=True)
class VoteSet:
    """Votes that are ready to learn from.

    Attributes:
        training: The votes to learn from.
        held_out: Votes on other prompts, to measure the result with.
        left_out: How many votes were left out, by reason.
        first_won: How often the continuation that was shown first won, on any episode.
        agreement: How often the same two texts were judged alike again, on any episode.
    """

    training: tuple[AnyVote, ...]
    held_out: tuple[AnyVote, ...]
    left_out: dict[str, int]
    first_won: Share
    agreement: Share

    @property
    def count(self) -> int:
        """How many votes there are."""
        return len(self.training) + len(self.held_out)

    @property
    def sources(self) -> dict[str, float]:
        """The share of each kind of vote."""
        kinds = Counter(vote.kind for vote in (*self.training, *self.held_out))
        return {kind: round(number / self.count, 4) for kind, number in kinds.most_common()}


def collect_votes(
    votes: Iterable[AnyVote],
    show: Show,
    format_name: FormatName,
    training: list[ChatExample],
    held_out: list[ChatExample],
    seed: int,
) -> VoteSet:
    """Choose the votes that an adapter can learn from, and split them by prompts.

    Args:
        votes: The votes, each once.
        show: The adapter's show.
        format_name: The adapter's prompt format.
        training: The show's training examples.
        held_out: The show's held-out examples; votes on their lines are not learned from.
        seed: Seed of the choice of votes of a prompt, and of the split.

    Raises:
        UserError: no vote can be used; the message says why.
    """
    left_out: Counter[str] = Counter()
    only_held_out = hash_lines(contents(held_out)) - hash_lines(contents(training))
    own: list[AnyVote] = []
    usable: list[AnyVote] = []
    for vote in votes:
        if reason := _find_foreign(vote, show, format_name):
            left_out[reason] += 1
            continue
        own.append(vote)
        if only_held_out & hash_lines(message["content"] for message in vote.prompt[1:]):
            left_out["on held-out episodes"] += 1
        else:
            usable.append(vote)
    pairs = [vote for vote in usable if isinstance(vote, Vote)]
    ratings = [vote for vote in usable if isinstance(vote, Rating)]
    # Whoever votes by position does so on held-out episodes too, as in a table read.
    judged = [vote for vote in own if isinstance(vote, Vote)]
    decided, repeated, contradicting = _settle_repeats(pairs)
    left_out["the same two texts again"] += repeated
    left_out["both texts won: contradicting votes"] += contradicting
    draw = random.Random(seed)  # noqa: S311 - a sample, no secret
    kept: list[AnyVote] = [*_thin_out(decided, draw), *_thin_out(ratings, draw)]
    left_out[f"more than {_PER_PROMPT} on one prompt"] += len(decided) + len(ratings) - len(kept)
    left_out = +left_out
    if not kept:
        reasons = describe_left_out(left_out) or "the files are empty"
        raise UserError(f"no vote that '{show.name}' can learn from: {reasons}")
    learned, tested = _split(kept, draw)
    return VoteSet(learned, tested, dict(left_out), _count_first(judged), _count_agreement(judged))


def describe_left_out(left_out: dict[str, int]) -> str:
    """Say how many votes were left out, and why."""
    return ", ".join(f"{number} ({reason})" for reason, number in left_out.items())


def _find_foreign(vote: AnyVote, show: Show, format_name: FormatName) -> str:
    """Return why a vote is not for this adapter; "" if it is."""
    if vote.show != show.name:
        return f"of the show '{vote.show}'"
    if vote.format not in (None, format_name) or not _is_prompt_of(vote.prompt, show, format_name):
        return f"their prompts are not of the format '{format_name}'"
    return ""


def _is_prompt_of(prompt: Sequence[Message], show: Show, format_name: FormatName) -> bool:
    """Return whether a prompt has the form of the format's prompts, with any direction."""
    if [message["role"] for message in prompt] != ["system", "user"]:
        return False
    own, found = build_messages(show, format_name, ())[0]["content"], prompt[0]["content"]
    return found == own or (bool(parts_of(format_name)) and found.startswith(f"{own}\n\n"))


def hash_lines(texts: Iterable[str]) -> set[int]:
    """Hash the words of all script lines that are long enough to tell scenes apart."""
    lines = (line for text in texts for line in parse_lines(text) if isinstance(line, Line))
    return {key for line in lines if (key := hash_speech(line.text)) is not None}


def _key(vote: AnyVote) -> tuple[str, ...]:
    return tuple(message["content"] for message in vote.prompt)


def _texts(vote: Vote) -> frozenset[str]:
    return frozenset((vote.chosen[0]["content"], vote.rejected[0]["content"]))


def _group_same(votes: Iterable[Vote]) -> list[list[Vote]]:
    """Group votes on the same two texts of one prompt, in order."""
    groups: dict[object, list[Vote]] = defaultdict(list)
    for vote in votes:
        groups[_key(vote), _texts(vote)].append(vote)
    return list(groups.values())


def _settle_repeats(votes: Iterable[Vote]) -> tuple[list[Vote], int, int]:
    """Keep one vote of each two texts; return also how many repeat or contradict each other."""
    decided, repeated, contradicting = [], 0, 0
    for group in _group_same(votes):
        if len({vote.chosen[0]["content"] for vote in group}) > 1:
            contradicting += len(group)
        else:
            decided.append(group[0])
            repeated += len(group) - 1
    return decided, repeated, contradicting


def _count_agreement(votes: Iterable[Vote]) -> Share:
    again = [group[0].chosen == vote.chosen for group in _group_same(votes) for vote in group[1:]]
    return Share(sum(again), len(again))


def _count_first(votes: Iterable[Vote]) -> Share:
    """Count how often what was shown first won; a choice among several is one trial."""
    choices: dict[object, list[bool]] = defaultdict(list)
    for vote in votes:
        if vote.first_won is not None:
            choices[_key(vote), vote.chosen[0]["content"]].append(vote.first_won)
    return Share(sum(sum(won) / len(won) for won in choices.values()), len(choices))


def _thin_out(votes: Sequence[_Kind], draw: random.Random) -> list[_Kind]:
    """Draw a few votes of each prompt."""
    groups: dict[object, list[_Kind]] = defaultdict(list)
    for vote in votes:
        groups[_key(vote)].append(vote)
    return [
        vote
        for group in groups.values()
        for vote in draw.sample(group, min(len(group), _PER_PROMPT))
    ]


def _split(
    votes: Sequence[AnyVote], draw: random.Random
) -> tuple[tuple[AnyVote, ...], tuple[AnyVote, ...]]:
    """Hold the votes of some prompts out; with one prompt, none."""
    prompts = list(dict.fromkeys(map(_key, votes)))
    tested = set(draw.sample(prompts, int(_HELD_OUT * len(prompts))))
    return (
        tuple(vote for vote in votes if _key(vote) not in tested),
        tuple(vote for vote in votes if _key(vote) in tested),
    )
