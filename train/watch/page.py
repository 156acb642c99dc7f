"""The page that shows a training: its figures, its curves, and what it wrote so far."""

import base64
import time
from datetime import timedelta
from pathlib import Path

from nothing_gpt.adapter.manifest import read_manifest
from nothing_gpt.errors import UserError
from nothing_gpt.workspace import Workspace
from train.artifacts.loss_curves import plot_losses
from train.artifacts.run_history import read_history
from train.trainer.loss_checks import LogEntry
from train.watch.run_state import RunState, read_state

_SILENT = 300
"""Seconds without news after which the page asks whether the training still runs."""

Figures = list[tuple[str, str]]


def render_page(name: str, workspace: Workspace) -> str:
    """Return the page of a training, or of the finished adapter.

    Raises:
        UserError: there is neither.
    """
    from jinja2 import Template

    state = read_state(workspace.checkpoints(name))
    if state:
        title, figures, entries = _describe(state), _list_figures(state), list(state.entries)
    elif workspace.adapter(name).is_dir():
        title, figures, entries = _read_finished(name, workspace)
    else:
        raise UserError(
            f"{workspace.checkpoints(name)}: no training '{name}' has started, and no adapter is"
            f" finished; 'python -m train --show {name}' trains one"
        )
    template = Template(
        Path(__file__).with_name("page.html").read_text(encoding="utf-8"), autoescape=True
    )
    has_losses = any("loss" in entry or "eval_loss" in entry for entry in entries)
    picture = base64.b64encode(plot_losses(entries)).decode() if has_losses else ""
    scenes = [entry for entry in reversed(entries) if "scenes" in entry]
    page: str = template.render(
        name=name, title=title, figures=figures, picture=picture, scenes=scenes
    )
    return page


def _describe(state: RunState) -> str:
    silent = time.time() - state.time
    news = f"; no news for {_minutes(silent)}: does it still run?" if silent > _SILENT else ""
    return f"training on {state.base}, {state.machine}{news}"


def _list_figures(state: RunState) -> Figures:
    step = int(state.entries[-1]["step"]) if state.entries else 0
    formats = {
        "loss": ("loss", "{:.3f}"),
        "held out": ("eval_loss", "{:.3f}"),
        "tokens a second": ("tokens_per_second", "{:,.0f}"),
        "memory": ("memory_gib", "{:.1f} GiB"),
    }
    figures = [("step", f"{step} of {state.steps}")]
    for label, (key, text) in formats.items():
        value = state.latest(key)
        if value is not None:
            figures.append((label, text.format(value)))
    if state.bits_per_byte is not None:
        figures.append(("bits a byte", f"{state.bits_per_byte:.3f}"))
    if state.seconds_left is not None:
        figures.append(("left", _minutes(state.seconds_left)))
    if state.dollars_left is not None:
        figures.append(("still to pay", f"${state.dollars_left:.2f}"))
    return figures


def _read_finished(name: str, workspace: Workspace) -> tuple[str, Figures, list[LogEntry]]:
    folder = workspace.adapter(name)
    manifest, entries = read_manifest(folder), read_history(folder)
    metrics = manifest.metrics
    figures = [
        ("steps", f"{metrics['steps']:.0f}"),
        ("held out", f"{metrics['eval_loss']:.3f}"),
        ("without the adapter", f"{metrics['base_eval_loss']:.3f}"),
    ]
    if bits := metrics.get("eval_bits_per_byte"):
        figures.append(("bits a byte", f"{bits:.3f}"))
    return f"finished on {manifest.base.id}: {folder}", figures, entries


def _minutes(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
