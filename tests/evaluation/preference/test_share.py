import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.preference.share import Share, count_needed_votes


@pytest.mark.parametrize(("rate", "votes"), [(0.7, 47), (0.3, 47), (0.6, 194), (0.5, None)])
def test_needed_votes_are_those_of_the_textbook(rate: float, votes: int | None) -> None:
    assert count_needed_votes(rate) == votes


@given(st.floats(0.51, 0.99), st.floats(0.51, 0.99))
def test_a_smaller_difference_needs_more_votes(first: float, second: float) -> None:
    counts = [count_needed_votes(rate) for rate in sorted((first, second))]
    assert None not in counts
    assert (counts[0] or 0) >= (counts[1] or 0)


@given(st.integers(0, 400), st.integers(0, 400))
def test_the_interval_holds_the_share_and_turns_with_it(won: int, lost: int) -> None:
    share, turned = Share(won, won + lost), Share(lost, won + lost)
    low, high = share.interval
    assert turned.interval == pytest.approx((1 - high, 1 - low))
    assert share.is_clear == turned.is_clear
    assert math.isnan(share.value) or low <= share.value <= high


def test_wilsons_interval_is_that_of_the_formula() -> None:
    assert Share(33, 47).interval == pytest.approx((0.5604, 0.8135), abs=1e-3)
    assert Share(0, 0).interval == (0, 1)
    assert Share(0, 0).describe() == "no votes yet"
