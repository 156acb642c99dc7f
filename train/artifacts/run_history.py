"""The course of runs: their numbers as JSON and pictures, and the reference's beside them.

`python -m train.artifacts.run_history --show seinfeld` prints and draws them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from nothing_gpt.adapter.manifest import Manifest, list_adapters
from nothing_gpt.errors import reported_errors
from nothing_gpt.files import read_json, write_json
from nothing_gpt.workspace import Workspace
from train.artifacts.loss_curves import LogEntry, draw_losses, draw_runs
from train.config.presets import PRESETS, Preset

FILE = "history.json"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(frozen=True, slots=True)
class PastRun:
    """A finished run: the adapter's name, what it says of itself, and its losses."""

    name: str
    manifest: Manifest
    entries: list[LogEntry]


def write_history(folder: Path, entries: list[LogEntry]) -> None:
    """Write `history.json` and, from it, `loss.png`."""
    write_json(folder / FILE, entries)
    draw_losses(folder / "loss.png", entries)


def read_runs(workspace: Workspace, show: str) -> list[PastRun]:
    """Read all finished runs of a show; its own adapter's first, then those of presets."""
    return [
        PastRun(name, manifest, read_json(workspace.adapter(name) / FILE))
        for name, manifest in list_adapters(workspace.adapters).items()
        if manifest.show.name == show
    ]


def render_table(runs: Sequence[PastRun]) -> str:
    """Write the reference's runs and those made here as one Markdown table."""
    made = {run.manifest.preset: run for run in runs}
    rows = [_row(preset, made.get(name)) for name, preset in PRESETS.items()]
    rows += [_own_row(run) for run in runs if not run.manifest.preset]
    header = ("run", "format", "loss of", "r", "alpha", "reported", "here", "untrained", "base")
    return _align([header, tuple("---" for _ in header), *rows])


@app.command()
def main(
    show: Annotated[str, typer.Option(help="The name of a show.")] = "unclaimed",
    picture: Annotated[
        Path | None, typer.Option(help="Where the curves go, in place of the workspace.")
    ] = None,
    workspace: Annotated[Path | None, typer.Option(help="Folder that the stages share.")] = None,
) -> None:
    """Print the reference's runs beside those made here, and draw the curves of all of these."""
    place = Workspace(workspace) if workspace else Workspace.default()
    runs = read_runs(place, show)
    typer.echo(render_table(runs))
    typer.echo(
        "\nReported: held-out loss at epoch, of the reference's 3B base. Here: at step, of the"
        " base named last,\nwhose own loss is under untrained. Losses of other bases, formats or"
        " kinds do not compare."
    )
    curves = {run.manifest.preset or "own": run.entries for run in runs}
    if not curves:
        typer.echo(f"No run of '{show}' here yet: python -m train --show {show} --preset NAME")
        return
    path = picture or place.history(show)
    draw_runs(path, curves)
    typer.echo(f"Curves: {path}")


def _row(preset: Preset, run: PastRun | None) -> tuple[str, ...]:
    reported = ", ".join(f"{e.loss:.3f} at {e.epoch:g}" for e in preset.reported)
    return (
        preset.name,
        *_method(preset.format, asdict(preset.config)),
        reported,
        *_outcome(run),
    )


def _own_row(run: PastRun) -> tuple[str, ...]:
    method = _method(run.manifest.format, run.manifest.config)
    return ("the show's own", *method, "", *_outcome(run))


def _method(format_name: str, config: dict[str, Any]) -> tuple[str, ...]:
    learned = "answers" if config.get("completion_only", True) else "all"
    return format_name, learned, str(config["rank"]), str(config["alpha"])


def _outcome(run: PastRun | None) -> tuple[str, str, str]:
    if run is None:
        return "not run", "", ""
    evaluated = [e for e in run.entries if "eval_loss" in e]
    last, base = evaluated[-1], run.manifest.metrics["base_eval_loss"]
    best = min(evaluated[1:] or evaluated, key=lambda entry: float(entry["eval_loss"]))
    found = f"{best['eval_loss']:.3f} at {best['step']}"
    if last is not best:
        found += f", then {last['eval_loss']:.3f} at {last['step']}"
    return found, f"{base:.3f}", run.manifest.base.id


def _align(rows: Iterable[tuple[str, ...]]) -> str:
    cells = list(rows)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]

    def pad(text: str, width: int) -> str:
        return "-" * width if text == "---" else text.ljust(width)

    return "\n".join(f"| {' | '.join(map(pad, row, widths))} |" for row in cells)


if __name__ == "__main__":
    with reported_errors():
        app()
