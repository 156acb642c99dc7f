"""Loss curves as PNG files."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nothing_gpt.files import write_bytes
from train.trainer.loss_checks import LogEntry

_LABEL = "loss (nats a token)"


def draw_losses(path: Path, entries: list[LogEntry]) -> None:
    """Write the picture of `plot_losses` to a file."""
    write_bytes(path, plot_losses(entries))


def plot_losses(entries: list[LogEntry]) -> bytes:
    """Draw training and held-out loss of one run over optimiser steps; return a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    _plot(axes, entries, "loss", "-", "training")
    _plot(axes, entries, "eval_loss", "o-", "held out")
    _label(axes, _LABEL)
    axes.legend(frameon=False)
    return _render(figure)


def draw_runs(path: Path, runs: Mapping[str, list[LogEntry]]) -> None:
    """Draw several runs: held-out losses on the left, training losses on the right."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.5, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for axes in (left, right):
        axes.set_prop_cycle(color=colormaps["tab20"](range(20)))  # two shades of ten colours
    for name, entries in runs.items():
        _plot(left, entries, "eval_loss", "o-", name)
        _plot(right, entries, "loss", "-", name)
    _label(left, f"held-out {_LABEL}")
    _label(right, f"training {_LABEL}")
    handles = left.get_legend_handles_labels()
    figure.legend(*handles, loc="outside right upper", frameon=False)
    write_bytes(path, _render(figure))


def _plot(axes: Any, entries: list[LogEntry], key: str, style: str, label: str) -> None:
    points = [(e["step"], e[key]) for e in entries if key in e]
    if points:
        axes.plot(*zip(*points, strict=True), style, label=label, markersize=4)


def _render(figure: Any) -> bytes:
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120)
    return picture.getvalue()


def _label(axes: Any, label: str) -> None:
    axes.set_xlabel("step")
    axes.set_ylabel(label)
    axes.grid(alpha=0.3)
