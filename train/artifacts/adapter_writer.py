"""What a finished run leaves: the adapter with all that is to be known of it."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from nothing_gpt.adapter.manifest import Manifest, write_manifest
from nothing_gpt.files import read_json, write_text
from nothing_gpt.workspace import DATA_REPORT_FILE
from train.artifacts import parity_reference as parity
from train.artifacts import report
from train.artifacts.provenance import git_revision, package_versions
from train.artifacts.run_history import write_history
from train.base_model.loading import LoadedBase
from train.estimate.machine import find_machine
from train.trainer.best_adapter import HeldOutScore, find_best, save_adapter
from train.trainer.process_group import join

if TYPE_CHECKING:
    from peft import PeftModel
    from trl.trainer.sft_trainer import SFTTrainer

    from train.finetuning import Run

TEMPLATE = "chat_template.jinja"

LogEntry = dict[str, Any]


def write_result(
    folder: Path, run: "Run", trainer: "SFTTrainer", loaded: LoadedBase, inputs: str
) -> Manifest:
    """Write everything into the adapter's folder, the better of best and last on top.

    Args:
        folder: Empty.
        run: What was to be done.
        trainer: Done training.
        loaded: The base.
        inputs: The fingerprint of data, base and configuration.
    """
    entries = [e for e in trainer.state.log_history if "loss" in e or "eval_loss" in e]
    work = run.workspace.checkpoints(run.name)
    last = [HeldOutScore(int(e["step"]), e["eval_loss"]) for e in entries if "eval_loss" in e][-1]
    best = find_best(work) or last
    chosen = save_adapter(cast("PeftModel", trainer.model), last, work, folder)
    write_text(folder / TEMPLATE, str(loaded.tokenizer.chat_template))
    write_history(folder, entries)
    manifest = _describe(run, loaded, entries, inputs, best if chosen == "best" else last, chosen)
    write_manifest(folder, manifest)
    parity.judge(folder, run, trainer, quantized=loaded.quantized)
    data, machine = read_json(run.data / DATA_REPORT_FILE), find_machine(join().size)
    write_text(folder / report.FILE, report.render_report(manifest, entries, data, machine))
    return manifest


def summarize(adapter: Path, manifest: Manifest) -> str:
    """Say in two lines how a run went."""
    m = manifest.metrics
    which = "" if manifest.checkpoint == "last" else f", the best of {m['steps']:.0f}"
    return (
        f"adapter: {adapter}\n"
        f"held-out loss {m['eval_loss']:.3f} after {m['adapter_step']:.0f} steps{which} "
        f"({m['base_eval_loss']:.3f} without the adapter); see {report.FILE}"
    )


def _describe(
    run: "Run",
    loaded: LoadedBase,
    entries: list[LogEntry],
    inputs: str,
    adapter: HeldOutScore,
    chosen: Literal["best", "last"],
) -> Manifest:
    evaluated = [e["eval_loss"] for e in entries if "eval_loss" in e]
    trained = [e["loss"] for e in entries if "loss" in e and e["step"] <= adapter.step]
    return Manifest(
        show=run.show,
        format=run.format,
        base=loaded.base,
        rank=run.config.rank,
        config=asdict(run.config) | {"quantized": loaded.quantized},
        metrics={
            "eval_loss": adapter.loss,
            "base_eval_loss": evaluated[0],
            "last_eval_loss": evaluated[-1],
            "train_loss": trained[-1],
            "steps": float(entries[-1]["step"]),
            "adapter_step": float(adapter.step),
        },
        git_revision=git_revision(),
        inputs=inputs,
        versions=package_versions(),
        preset=run.preset.name if run.preset else "",
        checkpoint=chosen,
    )
