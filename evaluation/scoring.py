"""Scoring: the rows of the table from passages."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

from evaluation.passages import Passage
from evaluation.resources.show_resources import ShowResources
from evaluation.rows.row import Row
from evaluation.scorecard import Estimate, ScoredRow
from evaluation.statistics.comparison import LEAST_WINDOWS, Difference, compare_models
from evaluation.statistics.ratio import Ratio, add_tallies, measure_difference

_LEAST_EPISODES = 6
"""Episodes below which no permutation over them is rarer than 5%."""


@dataclass(frozen=True)
class Measured:
    """A row's ratios, all over the same episodes.

    Attributes:
        values: Of each model.
        single: Of each model, where only one figure is known, if any.
    """

    row: Row
    values: tuple[Ratio, ...]
    ceiling: Ratio | None = None
    floor: Ratio | None = None
    single: tuple[float | None, ...] = ()

    @property
    def is_measurable(self) -> bool:
        """Whether ceiling and floor are more than two standard errors apart."""
        if self.ceiling is None or self.floor is None:
            return True
        difference, error = measure_difference(self.ceiling, self.floor)
        return abs(difference) > 2 * error


def measure_row(
    row: Row, groups: Sequence[Sequence[Passage]], show: ShowResources, episodes: Sequence[str]
) -> Measured:
    """Measure a row.

    Args:
        groups: The passages of each model, then the show's own.
    """
    *values, ceiling = (add_tallies(row.count(group, show), episodes) for group in groups)
    if row.corrupt is None:
        return Measured(row, tuple(values), ceiling)
    floor = add_tallies(row.count(row.corrupt(groups[-1], show), show), episodes)
    return Measured(row, tuple(values), ceiling, floor)


def score_rows(
    models: Sequence[str], measured: Sequence[Measured], windows: int, episodes: int
) -> list[ScoredRow]:
    """Compare the models in all rows together, if there are two, and describe each row.

    Args:
        windows: Disjoint windows that scenes were written for.
        episodes: Held-out episodes of these.
    """
    differences: dict[str, Difference] = {}
    reason = explain_no_verdict(windows, episodes)
    compared = [each for each in measured if len(each.values) == 2 and each.is_measurable]
    if compared and not reason:
        first, second = zip(*(each.values for each in compared), strict=True)
        found = compare_models(first, second)
        differences = {
            each.row.name: difference for each, difference in zip(compared, found, strict=True)
        }
    return [
        _score_row(each, models, differences.get(each.row.name), windows, reason)
        for each in measured
    ]


def explain_no_verdict(windows: int, episodes: int) -> str:
    """Return why there cannot be a verdict; empty if there can."""
    if windows < LEAST_WINDOWS:
        return f"no verdict: {windows} windows of the {LEAST_WINDOWS} needed"
    if episodes < _LEAST_EPISODES:
        return f"no verdict: {episodes} episodes of the {_LEAST_EPISODES} needed"
    return ""


def _score_row(
    measured: Measured,
    models: Sequence[str],
    difference: Difference | None,
    windows: int,
    reason: str,
) -> ScoredRow:
    row, ceiling = measured.row, measured.ceiling
    values = tuple(estimate(each, row) for each in measured.values) or tuple(
        map(Estimate, measured.single)
    )
    passed = [row.passes(each.value, ceiling.value) for each in measured.values if ceiling]
    known = tuple(each for each in passed if each is not None)
    verdict = ""
    if len(models) == 2:
        verdict = reason or "one figure each: no verdict"
        if not measured.is_measurable:
            verdict = "not measurable for this show"
        elif difference is not None:
            verdict = _say_verdict(measured, models, difference, windows)
    return ScoredRow(
        name=row.name,
        form=row.form,
        values=values,
        ceiling=estimate(ceiling, row) if ceiling else None,
        floor=estimate(measured.floor, row) if measured.floor else None,
        floor_is=row.floor,
        measurable=measured.is_measurable,
        passed=known if len(known) == len(passed) else (),
        difference=difference.value if difference else None,
        probability=difference.probability if difference else None,
        verdict=verdict,
    )


def _say_verdict(
    measured: Measured, models: Sequence[str], difference: Difference, windows: int
) -> str:
    if not difference.is_seen:
        return f"no difference seen at n = {windows}"
    first, second = (ratio.value for ratio in measured.values)
    if measured.row.best == "near" and measured.ceiling:
        target = measured.ceiling.value
        nearer = abs(first - target) < abs(second - target)
        return f"{models[0] if nearer else models[1]} is nearer to real scenes"
    better = (first > second) == (measured.row.best == "high")
    return f"{models[0] if better else models[1]} is better"


def estimate(ratio: Ratio, row: Row) -> Estimate:
    """Return a ratio's value and interval; that of a share ends at 0 and 1."""
    low, high = ratio.interval
    if isnan(low):
        return Estimate(None if isnan(ratio.value) else ratio.value)
    if row.is_share:
        low, high = max(low, 0.0), min(high, 1.0)
    return Estimate(ratio.value, low, high)
