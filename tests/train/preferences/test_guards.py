"""The reasons to refuse votes or a tuned adapter."""

from dataclasses import replace

import pytest

from nothing_gpt.adapter.row_change import RowChange
from nothing_gpt.votes.share import Share
from train.preferences.guards import check_outcome, check_votes
from train.preferences.tuned_adapter import HeldOutLoss, Outcome
from train.preferences.vote_set import VoteSet

VOTES = VoteSet((), (), {}, Share(100, 200), Share(40, 50))
RAW = RowChange("lines that parse (raw)", 0.99, 0.98, 1.0, 0.01)
SURPRISE = RowChange("surprise", 1.6, 1.61, 1.9, 0.02)
CAST = RowChange("cast share", 0.84, 0.83, 0.72, 0.01)
WORDS = RowChange("words in a line", 8.0, 8.5, 8.0, 0.1)
LINES = RowChange("lines in a scene, uncut", 12.0, 11.0, 30.0, 0.2)
GOOD = Outcome(
    HeldOutLoss(2.5, 1.2),
    HeldOutLoss(2.52, 1.21),
    Share(30, 40),
    (RAW, SURPRISE, CAST, WORDS, LINES),
)


def list_reasons(outcome: Outcome) -> list[str]:
    return list(check_outcome(outcome, "dpo"))


def change_row(row: RowChange, after: float) -> Outcome:
    changed = replace(row, after=after)
    return replace(GOOD, changes=tuple(changed if c is row else c for c in GOOD.changes))


def test_an_adapter_within_all_bounds_is_kept() -> None:
    assert list_reasons(GOOD) == []


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (replace(GOOD, after=HeldOutLoss(2.6, 1.225)), "bits a byte of real held-out scenes rose"),
        (replace(GOOD, liked=Share(24, 40)), "agrees with 60% [45, 74] of 40 held-out votes"),
        (change_row(RAW, 0.96), "fewer lines parse: 96.0% after 99.0%"),
        (change_row(SURPRISE, 1.5), "surprise is farther from real scenes"),
        (change_row(SURPRISE, 2.3), "surprise is farther from real scenes"),
        (change_row(CAST, 0.9), "cast share is farther from real scenes"),
        (change_row(WORDS, 7.1), "words in a line: 7.1 after 8.0, a change of -11%"),
        (change_row(WORDS, 8.9), "words in a line: 8.9 after 8.0, a change of +11%"),
        (change_row(LINES, 6.0), "lines in a scene, uncut: 6.0 after 12.0"),
    ],
)
def test_each_bound_refuses_the_adapter_with_its_reason(outcome: Outcome, reason: str) -> None:
    (found,) = list_reasons(outcome)
    assert reason in found


@pytest.mark.parametrize("row", [RAW, SURPRISE, CAST, WORDS, LINES])
def test_what_may_be_noise_is_no_reason(row: RowChange) -> None:
    noisy = replace(row, after=row.before * 0.8, error=1000.0)
    rows = tuple(noisy if c is row else c for c in GOOD.changes)
    assert list_reasons(replace(GOOD, changes=rows)) == []


def test_what_was_not_measured_is_no_reason() -> None:
    assert list_reasons(replace(GOOD, changes=())) == []


@pytest.mark.parametrize(
    ("votes", "reason"),
    [
        (replace(VOTES, first_won=Share(130, 200)), "what was shown first won 65%"),
        (replace(VOTES, first_won=Share(70, 200)), "what was shown first won 35%"),
        (replace(VOTES, agreement=Share(20, 50)), "the same text won 40% [28, 54] of 50"),
    ],
)
def test_votes_that_say_little_are_not_learned_from(votes: VoteSet, reason: str) -> None:
    assert reason in "\n".join(check_votes(votes, "best-of-n"))


def test_doubtful_votes_are_learned_from() -> None:
    few = replace(VOTES, first_won=Share(8, 10), agreement=Share(1, 3))
    assert list(check_votes(few, "best-of-n")) == []
    (reason,) = check_votes(few, "dpo")
    assert "0 votes of the 200 that tell a preference from chance" in reason
    assert "--best-of-n" in reason
