"""The gates of the scorecard, for a single scene."""

from evaluation.passages import Passage
from evaluation.resources.show_resources import ShowResources
from evaluation.rows.row import ROWS

_LEAST = {"high": 1, "low": 2}
"""Bad lines that make a defect, by what is best in a row. One line that does not parse is enough;
one that repeats or quotes is not, since real scenes have such lines."""


def list_failed_gates(scene: Passage, show: ShowResources) -> list[str]:
    """Return the gates that a scene fails by itself, by the rows' names.

    Its lines are compared with the best that a row can have: one scene is too short to be compared
    with how often the show's own scenes repeat or quote.
    """
    failed = []
    for row in ROWS:
        if row.margin is None:
            continue
        (tally,) = row.count([scene], show)
        if tally.size:
            best = float(row.best == "high")
            share = tally.amount / tally.size
            bad = round(abs(best - share) * tally.size)
            if not row.passes(share, best) and bad >= _LEAST[row.best]:
                failed.append(row.name)
    return failed
