import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.trainer.loss_checks import count_without_gain, find_breakdown, list_loss_warnings


def evaluations(*losses: float) -> list[dict[str, Any]]:
    return [{"step": 10 * i, "eval_loss": loss} for i, loss in enumerate(losses)]


@given(st.lists(st.floats(0.1, 9), min_size=2, max_size=20))
def test_gains_are_counted_from_the_best_evaluation_after_the_first_step(
    losses: list[float],
) -> None:
    trained = losses[1:]
    since = count_without_gain(evaluations(*losses))
    assert trained[len(trained) - 1 - since] == min(trained)
    assert count_without_gain(evaluations(losses[0], *trained, min(trained) - 0.05)) == 0


def test_nothing_evaluated_is_no_lack_of_gain() -> None:
    assert count_without_gain([]) == count_without_gain(evaluations(2.0)) == 0


@pytest.mark.parametrize(
    ("entry", "scaled", "named"),
    [
        ({"loss": 2.0, "grad_norm": 0.1}, False, None),
        ({"loss": math.nan, "grad_norm": 0.1}, True, "training loss nan"),
        ({"eval_loss": math.inf}, False, "held-out loss inf"),
        ({"loss": 2.0, "grad_norm": math.inf}, False, "gradient norm inf"),
        # The scaler of fp16 finds its scale by steps that it leaves out.
        ({"loss": 2.0, "grad_norm": math.inf}, True, None),
    ],
)
def test_what_is_no_number_is_named(
    *, entry: dict[str, float], scaled: bool, named: str | None
) -> None:
    assert find_breakdown(entry, scaled=scaled) == named


def test_a_growing_gap_is_said_once_and_one_from_the_start_is_not() -> None:
    def course(*gaps: float) -> list[dict[str, Any]]:
        return [
            entry
            for step, gap in enumerate(gaps, 1)
            for entry in ({"step": step, "loss": 2.0}, {"step": step, "eval_loss": 2.0 + gap})
        ]

    assert list_loss_warnings(course(1.0, 1.05, 1.1)) == []
    (warning,) = list_loss_warnings(course(0.05, 0.2, 0.5, 0.9))
    assert "2.000 far below the held-out 2.500 at step 3" in warning


def test_a_gradient_far_above_the_usual_is_said() -> None:
    norms = [0.5, 0.6, 0.4, 0.5, 0.5, 4.0, 9.0, math.nan]
    (warning,) = list_loss_warnings(
        [{"step": i, "grad_norm": norm} for i, norm in enumerate(norms)]
    )
    assert "gradient norm 9 at step 6, 18 times the usual" in warning
