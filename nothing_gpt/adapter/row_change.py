"""How an adapter's scenes changed when it was tuned; `evaluation` writes it, `train` reads it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RowChange:
    """How a row of the scorecard changed.

    Attributes:
        before: Of the adapter that the tuned one began as.
        after: Of the tuned adapter.
        real: Of the show's own scenes.
        error: The standard error of the difference between the two adapters.
    """

    name: str
    before: float
    after: float
    real: float
    error: float


@dataclass(frozen=True, slots=True)
class RowChanges:
    """The rows that could be measured; the form of the file."""

    rows: tuple[RowChange, ...]
