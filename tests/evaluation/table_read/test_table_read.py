from collections.abc import Callable
from pathlib import Path

import pytest

from evaluation.table_read.table_read import Showing, TableRead
from nothing_gpt.errors import UserError
from nothing_gpt.votes.vote import Vote
from nothing_gpt.votes.vote_file import read_votes
from tests.evaluation.conftest import Kept
from tests.evaluation.table_read.conftest import LABELS, open_read

Choose = Callable[[Showing], int]


def read_all(table_read: TableRead, choose: Choose) -> list[Showing]:
    """Vote on all pairs; return what was shown."""
    shown = []
    while showing := table_read.choose_next():
        table_read.add_vote(showing.key, choose(showing))
        shown.append(showing)
    return shown


def prefer_one(showing: Showing) -> int:
    return [side.label for side in showing.sides].index("one")


def test_a_reader_with_a_taste_wins_and_agrees_with_himself(
    table_read: TableRead, votes_file: Path
) -> None:
    shown = read_all(table_read, prefer_one)
    pairs = len(table_read.pairs)
    repeats = [showing for showing in shown if showing.repeat_of]
    assert (len(shown), len(repeats)) == (pairs + pairs // 10, pairs // 10)
    for showing in repeats:
        at = shown.index(showing)
        (earlier,) = (x for x in shown[:at] if x.pair.id == showing.pair.id)
        assert showing.sides == earlier.sides[::-1]
        assert at - shown.index(earlier) >= 5
    outcome = table_read.summarize()
    (result,) = outcome.ranking.pairwise
    assert (result.won.count, result.won.total) == (pairs, pairs)
    assert result.describe().endswith("one is preferred")
    assert (outcome.agreement.count, outcome.agreement.total) == (len(repeats), len(repeats))
    assert outcome.first_shown.total == len(shown)
    assert 0.25 < outcome.first_shown.value < 0.75

    votes = read_votes([votes_file])
    assert votes == table_read.votes
    (vote, *_) = (vote for vote in votes if isinstance(vote, Vote))
    assert (vote.kind, vote.show, vote.format) == ("table read", "unclaimed", "directed")
    assert vote.chosen_by.model == "one"
    assert vote.rejected_by.model == "two"
    assert vote.prompt[0]["role"] == "system"
    assert vote.episode
    assert vote.kept
    assert {vote.chosen_place, vote.rejected_place} == {0, 1}
    assert votes_file.stat().st_mode & 0o077 == 0


def test_a_reader_of_positions_is_found_out(table_read: TableRead) -> None:
    read_all(table_read, lambda _: 0)
    outcome = dict(table_read.summarize().describe())
    assert outcome["the one shown first wins"].endswith("the position decides many votes")
    assert outcome["the same choice when shown again"].startswith("0%")


def test_a_read_goes_on_where_it_stopped_and_a_torn_vote_is_lost(
    kept: Kept, table_read: TableRead, votes_file: Path
) -> None:
    for _ in range(12):
        showing = table_read.choose_next()
        assert showing
        table_read.add_vote(showing.key, 1)
    again = open_read(kept)
    assert again.votes == table_read.votes
    assert again.choose_next() == table_read.choose_next()
    votes_file.write_bytes(votes_file.read_bytes()[:-9])
    assert open_read(kept).votes == table_read.votes[:-1]


def test_an_answer_that_comes_twice_or_late_counts_once(table_read: TableRead) -> None:
    showing = table_read.choose_next()
    assert showing
    for place in (0, 1):
        table_read.add_vote(showing.key, place)
    assert [vote.chosen_place for vote in table_read.votes] == [0]


def test_votes_are_taken_back_and_deleted(kept: Kept, table_read: TableRead) -> None:
    first = table_read.choose_next()
    assert first
    table_read.add_vote(first.key, 0)
    table_read.take_back()
    assert table_read.choose_next() == first
    table_read.take_back()
    read_all(table_read, prefer_one)
    table_read.delete_votes()
    assert open_read(kept).votes == table_read.votes == []


def test_votes_on_other_models_are_kept_and_do_not_count(
    kept: Kept, table_read: TableRead
) -> None:
    read_all(table_read, prefer_one)
    kept.keep_run("three")
    other = open_read(kept, "one", "three")
    assert other.votes == table_read.votes
    assert other.summarize().ranking.pairwise[0].won.total == 0
    showing = other.choose_next()
    assert showing
    other.add_vote(showing.key, 0)
    other.take_back()
    other.take_back()
    assert open_read(kept).votes == table_read.votes


def test_without_pairs_there_is_no_table_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no two continuations"):
        TableRead("unclaimed", LABELS, [], tmp_path)
