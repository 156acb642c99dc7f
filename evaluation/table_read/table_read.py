"""A table read: which pair is shown next, and the votes so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from evaluation.preference.outcome import Outcome, find_votes, summarize_votes
from evaluation.preference.pair import Pair, Side
from evaluation.record_file import append_record, drop_unfinished
from nothing_gpt.errors import UserError
from nothing_gpt.prompt import Message, build_completion
from nothing_gpt.votes.vote import Vote
from nothing_gpt.votes.vote_file import read_votes, write_votes

VOTES_FILE = "votes.jsonl"

REPEAT_EVERY = 10
"""New pairs after which an earlier one is shown again."""

_REPEATED = 5
"""Of ten new pairs, one of the first five is repeated, so that some are in between."""


@dataclass(frozen=True, slots=True)
class Showing:
    """A pair as it is shown.

    Attributes:
        key: Names this showing in a form.
        sides: In the order shown.
        repeat_of: The vote on the pair when it was shown the other way round.
    """

    key: str
    pair: Pair
    sides: tuple[Side, Side]
    repeat_of: Vote | None = None


class TableRead:
    """The pairs of a show's models, and the file of its votes.

    Raises:
        UserError: there is no pair, or the file of votes is damaged.
    """

    def __init__(
        self, show: str, labels: Sequence[str], pairs: Sequence[Pair], folder: Path
    ) -> None:
        if not pairs:
            raise UserError("no two continuations of one context to compare; write more scenes")
        self.show, self.labels = show, tuple(labels)
        self.pairs = {pair.id: pair for pair in pairs}
        self.path = folder / VOTES_FILE
        drop_unfinished(self.path)
        found = read_votes([self.path]) if self.path.is_file() else []
        self.votes = [vote for vote in found if isinstance(vote, Vote)]

    @property
    def own_votes(self) -> list[Vote]:
        """The votes on these pairs; the file can have others of the show."""
        return [vote for _, vote in find_votes(self.pairs, self.votes)]

    def choose_next(self) -> Showing | None:
        """Return the next pair to show; None if all have been shown."""
        votes = find_votes(self.pairs, self.votes)
        new = [(pair, vote) for pair, vote in votes if vote.repeat_of is None]
        block = len(votes) - len(new)
        if block < len(new) // REPEAT_EVERY:
            at = REPEAT_EVERY * block + Random(block).randrange(_REPEATED)  # noqa: S311
            pair, vote = new[at]
            return Showing(vote.id, pair, pair.sides[::-1], vote)
        done = {pair.id for pair, _ in new}
        left = (pair for id_, pair in self.pairs.items() if id_ not in done)
        following = next(left, None)
        return Showing(following.id, following, following.sides) if following else None

    def add_vote(self, key: str, place: int) -> None:
        """Keep a vote for the side at a place, if that showing is the next one.

        An answer that comes twice, or from a second window, changes nothing.

        Raises:
            UserError: the vote cannot be kept.
        """
        showing = self.choose_next()
        if showing is None or showing.key != key:
            return
        chosen, rejected = showing.sides[place], showing.sides[1 - place]
        vote = Vote(
            prompt=chosen.prompt,
            chosen=(_answer(chosen),),
            rejected=(_answer(rejected),),
            kind="table read",
            show=self.show,
            chosen_by=chosen.writer,
            rejected_by=rejected.writer,
            chosen_settings=chosen.settings,
            rejected_settings=rejected.settings,
            rejected_prompt=None if chosen.prompt == rejected.prompt else rejected.prompt,
            format=chosen.format,
            chosen_place=place,
            rejected_place=1 - place,
            episode=showing.pair.episode,
            repeat_of=showing.repeat_of.id if showing.repeat_of else None,
            kept=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        append_record(self.path, vote)
        self.votes.append(vote)

    def take_back(self) -> None:
        """Delete the last vote on these pairs.

        Raises:
            UserError: the file cannot be written.
        """
        last = self.own_votes[-1:]
        self._keep([vote for vote in self.votes if vote not in last])

    def delete_votes(self) -> None:
        """Delete all votes of the show.

        Raises:
            UserError: the file cannot be written.
        """
        self._keep([])

    def summarize(self) -> Outcome:
        """Return the result so far."""
        return summarize_votes(self.labels, self.pairs, self.votes)

    def _keep(self, votes: list[Vote]) -> None:
        write_votes(self.path, votes)
        self.votes = votes


def _answer(side: Side) -> Message:
    return build_completion(side.lines)[0]
