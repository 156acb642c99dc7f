import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.preference.needed_votes import count_needed_votes


@pytest.mark.parametrize(("rate", "votes"), [(0.7, 47), (0.3, 47), (0.6, 194), (0.5, None)])
def test_needed_votes_are_those_of_the_textbook(rate: float, votes: int | None) -> None:
    assert count_needed_votes(rate) == votes


@given(st.floats(0.51, 0.99), st.floats(0.51, 0.99))
def test_a_smaller_difference_needs_more_votes(first: float, second: float) -> None:
    counts = [count_needed_votes(rate) for rate in sorted((first, second))]
    assert None not in counts
    assert (counts[0] or 0) >= (counts[1] or 0)
