"""The scorecard as a picture: a bar a row, with the band of real scenes."""

import io
from typing import TYPE_CHECKING

from evaluation.output.table import describe_title
from evaluation.scorecard import Estimate, Scorecard, ScoredRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLORS = ("tab:blue", "tab:orange")


def draw_scorecard(card: Scorecard) -> bytes:
    """Return the picture, as PNG. Rows have scales of their own; there is no total."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    rows = [row for row in card.rows if any(value.value is not None for value in row.values)]
    figure, grid = plt.subplots(
        len(rows), 1, figsize=(8, 0.4 + 0.75 * len(rows)), squeeze=False, layout="constrained"
    )
    for row, axes in zip(rows, grid[:, 0], strict=True):
        _draw_row(axes, row)
    handles = [
        *(Patch(color=color) for color in _COLORS[: len(card.models)]),
        Patch(color="tab:green", alpha=0.3),
        Line2D([], [], color="tab:red", linestyle=":"),
    ]
    labels = [*card.models, "real scenes", "floor"]
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=8)
    figure.suptitle(describe_title(card), fontsize=9)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=150)
    plt.close(figure)
    return picture.getvalue()


def _draw_row(axes: "Axes", row: ScoredRow) -> None:
    for at, (value, color) in enumerate(zip(row.values, _COLORS, strict=False)):
        if value.value is not None:
            axes.barh(-at, value.value, color=color, xerr=_list_errors(value), capsize=2)
    if row.ceiling and row.ceiling.value is not None:
        low, high = row.ceiling.low, row.ceiling.high
        if low is not None and high is not None:
            axes.axvspan(low, high, color="tab:green", alpha=0.3)
        axes.axvline(row.ceiling.value, color="tab:green")
    if row.floor and row.floor.value is not None:
        axes.axvline(row.floor.value, color="tab:red", linestyle=":")
    axes.set_yticks([])
    name = row.name if row.measurable else f"{row.name}\n(not measurable)"
    axes.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
    axes.tick_params(labelsize=7)


def _list_errors(value: Estimate) -> list[list[float]] | None:
    if value.value is None or value.low is None or value.high is None:
        return None
    return [[value.value - value.low], [value.high - value.value]]
