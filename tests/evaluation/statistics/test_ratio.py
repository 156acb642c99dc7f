import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.rows.tally import Tally
from evaluation.statistics.ratio import Ratio, add_tallies, measure_difference

SIZES = st.lists(st.integers(1, 40), min_size=3, max_size=12)


def test_tallies_are_added_by_episode() -> None:
    ratio = add_tallies([Tally("B", 1, 2), Tally("A", 3, 4), Tally("B", 1, 4)], ["A", "B", "C"])
    assert ratio.amounts.tolist() == [3, 2, 0]
    assert ratio.sizes.tolist() == [4, 6, 0]
    assert ratio.value == 0.5


def test_equal_episodes_have_the_interval_of_a_mean() -> None:
    values = np.array([0.2, 0.4, 0.9])
    ratio = Ratio(values, np.ones(3))
    error = values.std(ddof=1) / math.sqrt(3)
    assert ratio.error == pytest.approx(error)
    assert ratio.interval[1] - ratio.value == pytest.approx(4.3027 * error, rel=1e-4)


@settings(deadline=None)
@given(SIZES, st.floats(0.1, 5))
def test_episodes_that_agree_leave_no_doubt(sizes: list[int], value: float) -> None:
    array = np.array(sizes, dtype=float)
    ratio = Ratio(value * array, array)
    assert ratio.error == pytest.approx(0, abs=1e-9)
    assert measure_difference(ratio, ratio) == (0, 0)


@settings(deadline=None)
@given(SIZES)
def test_episodes_without_anything_to_count_change_nothing(sizes: list[int]) -> None:
    amounts = np.arange(len(sizes), dtype=float)
    counted = Ratio(amounts, np.array(sizes, dtype=float))
    padded = Ratio(np.append(amounts, 0), np.array([*sizes, 0.0]))
    assert padded.value == counted.value
    assert padded.interval == pytest.approx(counted.interval)


def test_nothing_counted_has_no_value() -> None:
    assert math.isnan(Ratio(np.zeros(3), np.zeros(3)).value)
    assert math.isnan(Ratio(np.ones(1), np.ones(1)).error)
