import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from nothing_gpt.votes.share import CONFIDENCE, Share


@given(st.integers(0, 400), st.integers(0, 400))
def test_the_interval_holds_the_share_and_turns_with_it(won: int, lost: int) -> None:
    share, turned = Share(won, won + lost), Share(lost, won + lost)
    low, high = share.interval
    assert turned.interval == pytest.approx((1 - high, 1 - low))
    assert share.is_clear == turned.is_clear
    assert math.isnan(share.value) or low <= share.value <= high


@given(st.integers(0, 400), st.integers(1, 400))
def test_wilsons_interval_is_scipys(won: int, lost: int) -> None:
    expected = binomtest(won, won + lost).proportion_ci(CONFIDENCE, method="wilson")
    assert Share(won, won + lost).interval == pytest.approx((expected.low, expected.high))


def test_without_votes_everything_is_possible() -> None:
    assert Share(0, 0).interval == (0, 1)
    assert str(Share(0, 0)) == "no votes yet"
