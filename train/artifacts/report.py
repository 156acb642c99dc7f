"""The report on a run: result, data, configuration, versions, time and cost, in Markdown."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from textwrap import indent
from typing import Any

from nothing_gpt.adapter.bits_per_byte import describe_loss
from nothing_gpt.adapter.manifest import Manifest
from train.artifacts.adapter_effect import list_effect_warnings
from train.estimate.machine import Machine
from train.trainer.loss_checks import LogEntry, list_loss_warnings

FILE = "report.md"


@dataclass(frozen=True, slots=True)
class UsedExamples:
    """How many examples a run has learned from, and how many each evaluation read."""

    trained: int
    evaluated: int


def render_report(
    name: str,
    manifest: Manifest,
    entries: list[LogEntry],
    data: dict[str, Any],
    used: UsedExamples,
    machine: Machine,
) -> str:
    """Return the report; it shows `loss.png` from the same folder.

    Args:
        name: The adapter's name.
        manifest: Its manifest.
        entries: The logged losses of the run.
        data: data_prep's report on the examples.
        used: How many of them the run used.
        machine: The machine of the run.
    """
    parts = _sections(name, manifest, entries, data, used, machine)
    return "\n\n".join(part for part in parts if part) + "\n"


def describe_all(metrics: Mapping[str, float]) -> str:
    """Say what the loss of all held-out examples is, if only a sample was evaluated before."""
    if "all_eval_loss" not in metrics:
        return ""
    return f"; {describe_loss(metrics, 'all_')} on all held-out examples"


def _sections(
    name: str,
    manifest: Manifest,
    entries: list[LogEntry],
    data: dict[str, Any],
    used: UsedExamples,
    machine: Machine,
) -> Iterator[str]:
    m = manifest.metrics
    yield f"# Adapter {name}"
    yield (
        f"Held-out loss **{describe_loss(m)}** at step {m['adapter_step']:.0f} of"
        f" {m['steps']:.0f}; {describe_loss(m, 'base_')} without the adapter{describe_all(m)}. "
        + (
            "It is the best of the run, and the last one, with"
            f" {m['last_eval_loss']:.3f}, lies in `last/`."
            if manifest.checkpoint == "best"
            else "It is the last of the run, and none before was better."
        )
    )
    warnings = [*list_effect_warnings(name, manifest), *list_loss_warnings(entries)]
    yield "\n".join(f"- **Warning:** {warning}." for warning in warnings)
    yield "![loss](loss.png)"
    yield "## The run"
    yield _table(_measurements(m, entries, machine))
    if scenes := [e for e in entries if "scenes" in e]:
        yield "## What it wrote"
        yield from _show_scenes(scenes)
    yield "## Data"
    yield _table(
        [
            ("show", f"{manifest.show.title} (`{manifest.show.name}`)"),
            ("format", f"`{manifest.format}`"),
            ("preset", f"`{manifest.preset}`" if manifest.preset else "none"),
            ("training examples", _share(used.trained, data["examples"]["train"])),
            ("held-out examples", _share(used.evaluated, data["examples"]["validation"])),
            ("source", f"`{data['source']}`"),
            ("fingerprint of the data", f"`{data['inputs']}`"),
            ("fingerprint of data, base and configuration", f"`{manifest.inputs}`"),
        ]
    )
    yield "## Configuration"
    yield _table(
        [("base", f"`{manifest.base.id}`"), ("base's state", f"`{manifest.base.fingerprint}`")]
        + [(key, str(value)) for key, value in manifest.config.items()]
    )
    yield "## Made with"
    yield _table([("git revision", f"`{manifest.git_revision}`"), *manifest.versions.items()])


def _show_scenes(entries: list[LogEntry]) -> Iterator[str]:
    """Show the first scenes, those from the middle, and the last."""
    for index in sorted({0, len(entries) // 2, len(entries) - 1}):
        yield f"Step {entries[index]['step']}, after a line of the scripts:"
        for scene in entries[index]["scenes"]:
            yield indent(f"{scene['after']}\n\n{scene['text']}", " " * 4)
            yield "<!-- -->"  # Markdown would join two blocks


def _measurements(
    metrics: Mapping[str, float], entries: list[LogEntry], machine: Machine
) -> Iterator[tuple[str, str]]:
    from train.trainer.throughput import measure_times

    measured = [e for e in entries if "tokens_per_second" in e]
    times = measure_times(entries)
    cost = machine.cost(times.whole)
    yield "machine", str(machine)
    yield "time, evaluations included", f"{times.whole:,.0f} s"
    for name, seconds in (("evaluations", times.evaluations), ("sample scenes", times.scenes)):
        if seconds:
            yield f"of it {name}", f"{seconds:,.0f} s, {seconds / times.whole:.1%}"
    if "all_eval_seconds" in metrics:
        yield "then all held-out examples", f"{metrics['all_eval_seconds']:,.0f} s"
    if measured:
        speeds = sorted(e["tokens_per_second"] for e in measured)
        yield "tokens seen, without padding", f"{max(e['tokens'] for e in measured):,.0f}"
        yield "tokens a second, in the median", f"{speeds[len(speeds) // 2]:,.0f}"
        yield "most memory", f"{max(e['memory_gib'] for e in measured):.1f} GiB"
    yield "cost", "no price is known" if cost is None else f"${cost:.2f} at the list price"


def _share(used: int, there: int) -> str:
    return f"{used:,}" if used == there else f"{used:,} of {there:,}"


def _table(rows: Iterable[tuple[str, str]]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in rows)])
