import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from evaluation.preference.strength import LEAST_CONTEXTS, Win, measure_strengths

LABELS = ("A", "B", "C", "D")
TRUE = np.array([1.0, 0.3, 0.0, -0.8])


def draw_wins(count: int, seed: int = 0) -> dict[str, list[Win]]:
    """Draw wins of models whose strengths are known, one for each context."""
    random = np.random.default_rng(seed)
    wins: dict[str, list[Win]] = {}
    for number in range(count):
        a, b = random.choice(len(LABELS), 2, replace=False)
        is_won = random.random() < 1 / (1 + np.exp(TRUE[b] - TRUE[a]))
        wins[str(number)] = [(LABELS[a], LABELS[b]) if is_won else (LABELS[b], LABELS[a])]
    return wins


def test_the_strengths_are_those_of_a_logistic_regression() -> None:
    wins = draw_wins(400)
    rows, outcomes = [], []
    for ((winner, loser),) in wins.values():
        difference = np.eye(4)[LABELS.index(winner)] - np.eye(4)[LABELS.index(loser)]
        rows += [difference, -difference]
        outcomes += [1, 0]
    fitted = LogisticRegression(fit_intercept=False, C=1e6).fit(np.array(rows), outcomes).coef_[0]
    chances = 1 / (1 + np.exp(fitted[None] - fitted[:, None]))
    expected = (chances.sum(axis=1) - 0.5) / 3
    found = measure_strengths(LABELS, wins)
    assert [each.value for each in found] == pytest.approx(expected, abs=0.01)
    assert np.mean([each.value for each in found]) == pytest.approx(0.5)


def test_intervals_hold_the_true_strengths_about_as_often_as_they_say() -> None:
    chances = 1 / (1 + np.exp(TRUE[None] - TRUE[:, None]))
    expected = (chances.sum(axis=1) - 0.5) / 3
    held = [
        each.low <= value <= each.high
        for seed in range(40)
        for each, value in zip(
            measure_strengths(LABELS, draw_wins(150, seed)), expected, strict=True
        )
    ]
    assert 0.88 <= np.mean(held) <= 1


def test_a_model_that_always_wins_has_a_strength() -> None:
    wins: dict[str, list[Win]] = {str(at): [("A", "B"), ("B", "C")] for at in range(20)}
    values = [each.value for each in measure_strengths(LABELS[:3], wins)]
    assert values == sorted(values, reverse=True)
    assert values[0] < 1


def test_few_contexts_have_no_strengths() -> None:
    assert measure_strengths(LABELS, draw_wins(LEAST_CONTEXTS - 1)) == []
