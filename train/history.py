"""The course of a run: its numbers as JSON, its loss curves as a picture."""

from pathlib import Path
from typing import Any

from nothing_gpt.files import write_json

Entry = dict[str, Any]
"""What the trainer logged at one step; losses in nats a token."""


def write_history(folder: Path, entries: list[Entry]) -> None:
    """Write `history.json` and, from it, `loss.png`."""
    write_json(folder / "history.json", entries)
    draw_losses(folder / "loss.png", entries)


def draw_losses(path: Path, entries: list[Entry]) -> None:
    """Draw training and held-out loss over optimiser steps."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for key, label, style in (("loss", "training", "-"), ("eval_loss", "held out", "o-")):
        points = [(e["step"], e[key]) for e in entries if key in e]
        if points:
            axes.plot(*zip(*points, strict=True), style, label=label, markersize=4)
    axes.set_xlabel("step")
    axes.set_ylabel("loss (nats a token)")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=144)
