import numpy as np
import pytest

from evaluation.rows.row import ROWS, Row
from evaluation.scoring import Measured, score_rows
from evaluation.statistics.ratio import Ratio

EPISODES = 8
BY_NAME = {row.name: row for row in ROWS}


def ratio(value: float, size: float = 10, spread: float = 0.01) -> Ratio:
    """Return a ratio over some episodes, of which every other is a little higher."""
    sizes = np.full(EPISODES, size)
    around = np.tile([1 + spread, 1 - spread], EPISODES // 2)
    return Ratio(value * sizes * around, sizes)


def score(row: Row, *values: Ratio, windows: int = 40, floor: float = 0.9) -> dict[str, object]:
    measured = Measured(row, values, ratio(0.5), ratio(floor))
    scored = score_rows(["A", "B"][: len(values)], [measured], windows, EPISODES)[0]
    return {"verdict": scored.verdict, "passed": scored.passed, "measurable": scored.measurable}


@pytest.mark.parametrize(
    ("name", "first", "second", "verdict"),
    [
        ("voice", 0.6, 0.4, "A is better"),
        ("quotation", 0.6, 0.4, "B is better"),
        ("surprise", 0.45, 0.7, "A is nearer to real scenes"),
        ("surprise", 0.1, 0.6, "B is nearer to real scenes"),
        ("voice", 0.5, 0.5, "no difference seen at n = 40"),
    ],
)
def test_a_verdict_names_the_better_model(
    name: str, first: float, second: float, verdict: str
) -> None:
    assert score(BY_NAME[name], ratio(first), ratio(second))["verdict"] == verdict


def test_a_row_whose_floor_is_its_ceiling_has_no_verdict() -> None:
    scored = score(BY_NAME["voice"], ratio(0.6), ratio(0.2), floor=0.5)
    assert scored["verdict"] == "not measurable for this show"
    assert not scored["measurable"]


def test_few_windows_have_no_verdict() -> None:
    scored = score(BY_NAME["voice"], ratio(0.6), ratio(0.2), windows=29)
    assert scored["verdict"] == "no verdict: 29 windows of the 30 needed"


def test_a_gate_fails_only_on_what_was_counted() -> None:
    row = BY_NAME["quotation"]
    assert score(row, ratio(0.54))["passed"] == (True,)
    assert score(row, ratio(0.56))["passed"] == (False,)
    assert score(row, ratio(0.0, size=0))["passed"] == ()
    assert score(row, ratio(0.54), ratio(0.0, size=0))["passed"] == ()
    assert score(BY_NAME["voice"], ratio(0.1))["passed"] == ()
