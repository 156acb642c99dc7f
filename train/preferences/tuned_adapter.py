"""Writing the folder of an adapter that votes tuned."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nothing_gpt.adapter.bits_per_byte import describe_loss
from nothing_gpt.adapter.manifest import Lineage, Manifest, write_manifest
from nothing_gpt.adapter.row_change import RowChange
from nothing_gpt.files import atomic_folder, make_folder, write_json, write_text
from nothing_gpt.votes.share import Share
from train.artifacts import report, run_history
from train.artifacts.adapter_effect import is_silent, list_effect_warnings
from train.artifacts.adapter_writer import TEMPLATE_FILE
from train.artifacts.provenance import git_revision, package_versions
from train.preferences.preference_run import PreferenceRun
from train.preferences.trainer.reference_adapter import TRAINED
from train.trainer.loss_checks import LogEntry


@dataclass(frozen=True, slots=True)
class HeldOutLoss:
    """The loss on real held-out scenes, in nats a token and in bits a byte."""

    nats: float
    bits: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was measured of a tuned adapter.

    Attributes:
        before: The loss of the adapter that it began as.
        after: Its own loss.
        liked: How many held-out votes it agrees with more.
        changes: How its scenes changed.
    """

    before: HeldOutLoss
    after: HeldOutLoss
    liked: Share
    changes: tuple[RowChange, ...]


def write_tuned_adapter(
    run: PreferenceRun,
    lineage: Lineage,
    inputs: str,
    model: Any,
    tokenizer: Any,
    entries: Sequence[LogEntry],
    outcome: Outcome,
) -> Path:
    """Write the adapter, completely or not at all, beside the one that it began as.

    Args:
        run: The tuning.
        lineage: Where the adapter comes from.
        inputs: The fingerprint of votes, adapter and configuration.
        model: The model at the end of training.
        tokenizer: Its tokenizer, with the chat template of training.
        entries: What the trainer logged.
        outcome: What was measured of it.
    """
    target = run.workspace.adapter(run.name)
    if target.is_dir():
        replaced = run.workspace.replaced_adapter(run.name)
        make_folder(replaced.parent)
        target.rename(replaced)
    manifest = _describe(run, lineage, inputs, entries, outcome)
    manifest = replace(manifest, silent=is_silent(model, tokenizer))
    with atomic_folder(target) as folder:
        model.save_pretrained(str(folder), selected_adapters=[TRAINED])
        write_text(folder / TEMPLATE_FILE, str(tokenizer.chat_template))
        write_json(folder / run_history.FILE, list(entries))
        write_manifest(folder, manifest)
        write_text(folder / report.FILE, "\n".join(_render_report(run, manifest, outcome)) + "\n")
    return target


def _describe(
    run: PreferenceRun,
    lineage: Lineage,
    inputs: str,
    entries: Sequence[LogEntry],
    outcome: Outcome,
) -> Manifest:
    losses = [entry["loss"] for entry in entries if "loss" in entry]
    return replace(
        run.manifest,
        config=asdict(run.config) | {"quantized": run.manifest.config.get("quantized", False)},
        metrics={
            "eval_loss": outcome.after.nats,
            "eval_bits_per_byte": outcome.after.bits,
            "last_eval_loss": outcome.after.nats,
            "base_eval_loss": run.manifest.metrics["base_eval_loss"],
            "train_loss": losses[-1],
            "steps": float(entries[-1]["step"]),
            "adapter_step": float(entries[-1]["step"]),
        },
        git_revision=git_revision(),
        inputs=inputs,
        versions=package_versions(),
        preset="",
        checkpoint="last",
        finished=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M"),
        lineage=lineage,
    )


def _render_report(run: PreferenceRun, manifest: Manifest, outcome: Outcome) -> Iterator[str]:
    lineage = manifest.lineage
    assert lineage is not None  # noqa: S101 - it was made with one
    sources = ", ".join(f"{share:.0%} {kind}" for kind, share in lineage.sources.items())
    yield f"# Adapter {run.name}\n"
    votes = f"{lineage.votes} votes ({sources})"
    yield f"Tuned from `{lineage.adapter}` by {votes}: {lineage.method}.\n"
    yield f"Held-out loss **{describe_loss(manifest.metrics)}**.\n"
    for warning in list_effect_warnings(run.name, manifest):
        yield f"- **Warning:** {warning}.\n"
    yield from describe_outcome(outcome)


def describe_outcome(outcome: Outcome) -> Iterator[str]:
    """Yield a Markdown table of what was measured."""
    before, after = outcome.before.bits, outcome.after.bits
    yield "| | before | after | real scenes |"
    yield "|---|---|---|---|"
    yield f"| bits a byte of real scenes | {before:.3f} | {after:.3f} | |"
    for row in outcome.changes:
        yield f"| {row.name} | {row.before:.3f} | {row.after:.3f} | {row.real:.3f} |"
    yield f"| held-out votes that it agrees with more | | {outcome.liked} | |"
