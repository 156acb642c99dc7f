import pytest

from evaluation.passages import Passage
from evaluation.resources.show_resources import ShowResources
from evaluation.rows.row import ROWS, Row
from evaluation.statistics.ratio import add_tallies


def measure(row: Row, passages: list[Passage], known: ShowResources) -> float:
    episodes = list(dict.fromkeys(passage.episode for passage in passages))
    return add_tallies(row.count(passages, known), episodes).value


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_makes_the_floor_moves_the_row(
    row: Row, real: list[Passage], known: ShowResources
) -> None:
    assert row.corrupt
    spoiled = row.corrupt(real, known)
    assert [len(passage.lines) for passage in spoiled] == [len(p.lines) for p in real]
    if row.name in {"cast share", "context fit"}:
        return  # this show has no guests in its held-out episodes, and too few of these
    before, after = measure(row, real, known), measure(row, spoiled, known)
    assert after != before
    assert row.best == "near" or (after < before) == (row.best == "high")
    passed = row.passes(after, before)
    assert passed is (None if row.margin is None else False)
