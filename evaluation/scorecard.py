"""The scorecard: the result of an evaluation, as it is printed and stored."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95% interval; None where there is nothing to count or one episode only."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class ScoredRow:
    """A row of the table.

    Attributes:
        values: Of the model, and of the one it is compared with.
        ceiling: Of real scenes of the same length.
        floor: Of spoiled ones.
        measurable: Whether ceiling and floor are apart for this show.
        passed: Whether each model is within the row's gate; empty if there is none, or no value.
        difference: The first model's value less the other's.
        probability: How often equal models would differ so much in any row.
        verdict: In words; empty without a comparison.
    """

    name: str
    form: str
    values: tuple[Estimate, ...]
    ceiling: Estimate | None = None
    floor: Estimate | None = None
    floor_is: str = ""
    measurable: bool = True
    passed: tuple[bool, ...] = ()
    difference: float | None = None
    probability: float | None = None
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The result of an evaluation.

    Attributes:
        scenes: Of each model.
        notes: What a reader must know, such as too few windows.
    """

    show: str
    models: tuple[str, ...]
    sampling: tuple[str, ...]
    windows: int
    episodes: int
    scenes: int
    rows: tuple[ScoredRow, ...]
    details: tuple[ScoredRow, ...]
    notes: tuple[str, ...] = ()
