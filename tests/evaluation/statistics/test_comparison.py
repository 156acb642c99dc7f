import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.statistics.comparison import compare_models
from evaluation.statistics.ratio import Ratio

EPISODES = 8
ROWS = 5


def draw_rows(random: np.random.Generator, shift: float = 0.0) -> list[Ratio]:
    sizes = random.integers(5, 30, EPISODES).astype(float)
    return [Ratio(sizes * (shift + random.normal(1, 0.3, EPISODES)), sizes) for _ in range(ROWS)]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_the_models_only_turns_the_signs(seed: int) -> None:
    random = np.random.default_rng(seed)
    first, second = draw_rows(random), draw_rows(random)
    there, back = compare_models(first, second), compare_models(second, first)
    assert [each.value for each in there] == [-each.value for each in back]
    assert [each.probability for each in there] == [each.probability for each in back]
    assert all(1 / 2**EPISODES <= each.probability <= 1 for each in there)


def test_a_model_does_not_differ_from_itself() -> None:
    rows = draw_rows(np.random.default_rng(0))
    assert [(d.value, d.probability) for d in compare_models(rows, rows)] == [(0, 1)] * ROWS


def test_a_large_difference_is_seen_in_its_row_alone() -> None:
    random = np.random.default_rng(1)
    first, second = draw_rows(random), draw_rows(random)
    second[2] = draw_rows(random, shift=3)[2]
    assert [d.is_seen for d in compare_models(first, second)] == [r == 2 for r in range(ROWS)]


def test_equal_models_get_a_verdict_in_a_twentieth_of_trials() -> None:
    random = np.random.default_rng(2)
    trials = 400
    seen = sum(
        any(d.is_seen for d in compare_models(draw_rows(random), draw_rows(random)))
        for _ in range(trials)
    )
    assert seen <= 0.05 * trials + 3 * math.sqrt(0.05 * 0.95 * trials)


def test_a_row_without_anything_to_count_has_no_verdict() -> None:
    empty = Ratio(np.zeros(EPISODES), np.zeros(EPISODES))
    random = np.random.default_rng(3)
    full = draw_rows(random, shift=4)[0]
    found = compare_models([empty, full], [empty, draw_rows(random)[0]])
    assert [each.is_seen for each in found] == [False, True]
