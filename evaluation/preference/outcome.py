"""What votes on pairs say: who wins, how sure that is, and how good the votes are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from evaluation.preference.needed_votes import count_needed_votes
from evaluation.preference.pair import Pair, identify_pair
from evaluation.preference.strength import LEAST_CONTEXTS, Strength, Win, measure_strengths
from nothing_gpt.votes.share import Share, depends_on_place, is_guessed
from nothing_gpt.votes.vote import Vote

_MOST_NEEDED = 10_000


@dataclass(frozen=True, slots=True)
class PairwiseResult:
    """Two models, and the share of their pairs that the first one wins."""

    first: str
    second: str
    won: Share

    def describe(self) -> str:
        """Return the share, and who is preferred or how many more votes that takes."""
        words = str(self.won)
        if not self.won.total:
            return words
        if self.won.is_clear:
            return f"{words}: {self.first if self.won.value > 0.5 else self.second} is preferred"
        needed = count_needed_votes(self.won.value)
        if needed is None or needed > _MOST_NEEDED:
            return f"{words}: no difference seen"
        more = max(needed - self.won.total, 1)
        return f"{words}: no verdict yet; if this share is the true one, about {more} more votes"


@dataclass(frozen=True, slots=True)
class Ranking:
    """Who wins against whom.

    Attributes:
        strengths: Empty for two models, and with wins in too few contexts.
    """

    pairwise: tuple[PairwiseResult, ...]
    strengths: tuple[Strength, ...]

    def describe(self) -> Iterator[tuple[str, str]]:
        """Yield what was counted, and the figure with its interval."""
        for result in self.pairwise:
            yield f"{result.first} against {result.second}", result.describe()
        for each in self.strengths:
            span = f"[{100 * each.low:.0f}, {100 * each.high:.0f}]"
            yield f"{each.label} against all others", f"{each.value:.0%} {span} (Bradley-Terry)"
        if len(self.pairwise) > 1 and not self.strengths:
            yield "each against all others", f"needs votes on {LEAST_CONTEXTS} contexts"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of the votes on some pairs.

    Attributes:
        first_shown: How often the one that was shown first won, repeats too.
        agreement: How often the same one won when a pair was shown again, turned around.
    """

    ranking: Ranking
    first_shown: Share
    agreement: Share

    def describe(self) -> Iterator[tuple[str, str]]:
        """Yield what was counted, and the figure with its interval."""
        yield from self.ranking.describe()
        by_place = depends_on_place(self.first_shown)
        warning = ": the position decides many votes" if by_place else ""
        yield "the one shown first wins", f"{self.first_shown}{warning}"
        warning = ": many votes are guesses" if is_guessed(self.agreement) else ""
        yield "the same choice when shown again", f"{self.agreement}{warning}"


def count_wins(labels: Sequence[str], contexts: Mapping[str, Sequence[Win]]) -> Ranking:
    """Count wins, which are given by context."""
    wins = [win for own in contexts.values() for win in own]
    pairwise = tuple(
        PairwiseResult(a, b, Share(wins.count((a, b)), wins.count((a, b)) + wins.count((b, a))))
        for a, b in combinations(labels, 2)
    )
    strengths = measure_strengths(labels, contexts) if len(labels) > 2 else ()
    return Ranking(pairwise, tuple(strengths))


def find_votes(pairs: Mapping[str, Pair], votes: Sequence[Vote]) -> list[tuple[Pair, Vote]]:
    """Return the votes on these pairs, in their order."""
    ids = [
        identify_pair(
            vote.prompt[-1]["content"], vote.chosen[0]["content"], vote.rejected[0]["content"]
        )
        for vote in votes
    ]
    return [(pairs[id_], vote) for id_, vote in zip(ids, votes, strict=True) if id_ in pairs]


def summarize_votes(
    labels: Sequence[str], pairs: Mapping[str, Pair], votes: Sequence[Vote]
) -> Outcome:
    """Count the votes on these pairs; a repeat counts only for agreement and position."""
    contexts: dict[str, list[Win]] = {}
    winners: dict[str, str] = {}
    repeats: list[bool] = []
    found = find_votes(pairs, votes)
    for pair, vote in found:
        winner, loser = _name_sides(pair, vote)
        if vote.repeat_of is None:
            winners[vote.id] = winner
            contexts.setdefault(pair.context_text, []).append((winner, loser))
        elif vote.repeat_of in winners:
            repeats.append(winners[vote.repeat_of] == winner)
    order = [vote.first_won for _, vote in found if vote.first_won is not None]
    return Outcome(
        ranking=count_wins(labels, contexts),
        first_shown=Share(sum(order), len(order)),
        agreement=Share(sum(repeats), len(repeats)),
    )


def _name_sides(pair: Pair, vote: Vote) -> Win:
    first, second = pair.sides
    if first.text == vote.chosen[0]["content"]:
        return first.label, second.label
    return second.label, first.label
