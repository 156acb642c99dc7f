"""The logged losses of finished runs, and their comparison with the reference's runs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nothing_gpt.adapter.manifest import Manifest, list_adapters
from nothing_gpt.files import read_json, write_json
from nothing_gpt.workspace import Workspace
from train.artifacts.loss_curves import draw_losses
from train.config.presets import PRESETS, Preset
from train.trainer.loss_checks import LogEntry

FILE = "history.json"


@dataclass(frozen=True, slots=True)
class PastRun:
    """A finished run: the adapter's name, its manifest, and its logged losses."""

    name: str
    manifest: Manifest
    entries: list[LogEntry]


def write_history(folder: Path, entries: list[LogEntry]) -> None:
    """Write `history.json`, and its curves as `loss.png`."""
    write_json(folder / FILE, entries)
    draw_losses(folder / "loss.png", entries)


def read_history(folder: Path) -> list[LogEntry]:
    """Read the logged losses of an adapter."""
    entries: list[LogEntry] = read_json(folder / FILE)
    return entries


def read_runs(workspace: Workspace, show: str) -> list[PastRun]:
    """Read all runs of a show that trained on its examples: its own first, then the presets."""
    return [
        PastRun(name, manifest, read_history(workspace.adapter(name)))
        for name, manifest in list_adapters(workspace.adapters).items()
        if manifest.show.name == show and manifest.lineage is None
    ]


def render_table(runs: Sequence[PastRun]) -> str:
    """Return the reference's runs and those made here as one Markdown table."""
    rows = []
    for name, preset in PRESETS.items():
        made: list[PastRun | None] = [run for run in runs if run.manifest.preset == name]
        rows += [_row(preset, run) for run in made or [None]]
    rows += [_own_row(run) for run in runs if not run.manifest.preset]
    header = (
        "run",
        "format",
        "loss of",
        "r",
        "alpha",
        "rate",
        "reported",
        "here",
        "all held out",
        "untrained",
        "bits a byte",
        "base",
    )
    return _align([header, tuple("---" for _ in header), *rows])


def name_curve(run: PastRun) -> str:
    """Return a run's name in tables and pictures of its show."""
    short = run.name.removeprefix(f"{run.manifest.show.name}-")
    return short if run.manifest.preset else "own"


def _row(preset: Preset, run: PastRun | None) -> tuple[str, ...]:
    reported = ", ".join(f"{e.loss:.3f} at {e.epoch:g}" for e in preset.reported)
    return (
        name_curve(run) if run else preset.name,
        *_method(preset.format, run.manifest.config if run else asdict(preset.config)),
        reported,
        *_outcome(run),
    )


def _own_row(run: PastRun) -> tuple[str, ...]:
    method = _method(run.manifest.format, run.manifest.config)
    return ("the show's own", *method, "", *_outcome(run))


def _method(format_name: str, config: Mapping[str, Any]) -> tuple[str, ...]:
    learned = "answers" if config.get("completion_only", True) else "all"
    rate = f"{config['learning_rate']:g}"
    return format_name, learned, str(config["rank"]), str(config["alpha"]), rate


def _outcome(run: PastRun | None) -> tuple[str, str, str, str, str]:
    if run is None:
        return "not run", "", "", "", ""
    metrics = run.manifest.metrics
    evaluated = [e for e in run.entries if "eval_loss" in e]
    last = evaluated[-1]
    best = min(evaluated[1:] or evaluated, key=lambda entry: float(entry["eval_loss"]))
    text = f"{best['eval_loss']:.3f} at {best['step']}"
    if last is not best:
        text += f", then {last['eval_loss']:.3f} at {last['step']}"
    whole = metrics.get("all_eval_loss")
    bits = metrics.get("all_eval_bits_per_byte", metrics.get("eval_bits_per_byte"))
    return (
        text,
        "" if whole is None else f"{whole:.3f}",
        f"{metrics['base_eval_loss']:.3f}",
        "" if bits is None else f"{bits:.3f}",
        run.manifest.base.id,
    )


def _align(rows: Iterable[tuple[str, ...]]) -> str:
    cells = list(rows)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]

    def pad(text: str, width: int) -> str:
        return "-" * width if text == "---" else text.ljust(width)

    return "\n".join(f"| {' | '.join(map(pad, row, widths))} |" for row in cells)
