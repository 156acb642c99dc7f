"""Writing the folder of a finished adapter."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from nothing_gpt.adapter.bits_per_byte import count_bytes, describe_loss, to_bits_per_byte
from nothing_gpt.adapter.manifest import Manifest, write_manifest
from nothing_gpt.files import write_text
from train.artifacts import report
from train.artifacts.parity_reference import measure_parity_reference
from train.artifacts.provenance import git_revision, package_versions
from train.artifacts.run_history import write_history
from train.base_model.loading import LoadedBase
from train.config.base_names import SMOLLM2_ID, SMOLLM2_LICENCE
from train.config.config_file import render_config
from train.config.run import Run
from train.data.examples import RunExamples
from train.estimate.machine import find_machine
from train.trainer.best_adapter import HeldOutScore, find_best, save_adapter
from train.trainer.loss_checks import LogEntry
from train.trainer.process_group import current_group

if TYPE_CHECKING:
    from peft import PeftModel

    from train.trainer.sft_trainer import AdapterTrainer

TEMPLATE_FILE = "chat_template.jinja"
CONFIG_FILE = "config.toml"
"""File that repeats the run: `python -m train --show SHOW --config FILE`."""


def write_adapter(
    folder: Path,
    run: Run,
    examples: RunExamples,
    trainer: "AdapterTrainer",
    base: LoadedBase,
    inputs: str,
) -> Manifest:
    """Write the better one of the best and the last adapter, with all files that describe it.

    Args:
        folder: An empty folder.
        run: The run.
        examples: Its examples.
        trainer: The trainer, at the end of the run.
        base: The base.
        inputs: The fingerprint of data, base and configuration.

    Returns:
        The manifest.
    """
    entries = [e for e in trainer.state.log_history if "loss" in e or "eval_loss" in e]
    scores = [HeldOutScore(int(e["step"]), e["eval_loss"]) for e in entries if "eval_loss" in e]
    last = scores[-1]
    best = find_best(run.checkpoints) or last
    kind = save_adapter(cast("PeftModel", trainer.model), last, run.checkpoints, folder)
    write_text(folder / CONFIG_FILE, render_config(run.config, run.base_option, run.format))
    write_text(folder / TEMPLATE_FILE, str(base.tokenizer.chat_template))
    write_history(folder, entries)
    score = best if kind == "best" else last
    manifest = _describe(run, base, entries, score, kind, inputs)
    if (compressed := _measure_bytes(run, examples, trainer)) is not None:
        manifest = _add_bits_per_byte(manifest, *compressed)
    write_manifest(folder, manifest)
    measure_parity_reference(folder, examples, trainer, quantized=base.quantized)
    machine = find_machine(current_group().size)
    page = report.render_report(run.name, manifest, entries, run.data_report, machine)
    write_text(folder / report.FILE, page)
    return manifest


def summarize(adapter: Path, manifest: Manifest) -> str:
    """Return two lines on the result of a run."""
    m = manifest.metrics
    which = "" if manifest.checkpoint == "last" else f", the best of {m['steps']:.0f}"
    return (
        f"adapter: {adapter}\n"
        f"held-out loss {describe_loss(m)} after {m['adapter_step']:.0f} steps{which}\n"
        f"({describe_loss(m, 'base_')} without the adapter); see {report.FILE}"
    )


def _measure_bytes(
    run: Run, examples: RunExamples, trainer: "AdapterTrainer"
) -> tuple[int, int] | None:
    """Return the tokens of the evaluation and the bytes of their text.

    None if the two do not belong together: the loss is also of prompts, or examples were cut.
    """
    rows: Any = trainer.eval_dataset
    texts = [m["content"] for example in examples.evaluated for m in example["completion"]]
    longest = max(map(len, rows["input_ids"]), default=0)
    whole = len(rows) == len(examples.evaluated) and longest < run.config.max_length
    if not (run.config.completion_only and whole and trainer.eval_tokens):
        return None
    return trainer.eval_tokens, count_bytes(texts)


def _add_bits_per_byte(manifest: Manifest, tokens: int, text_bytes: int) -> Manifest:
    metrics = dict(manifest.metrics)
    for key in ("eval", "base_eval"):
        loss = metrics[f"{key}_loss"]
        metrics[f"{key}_bits_per_byte"] = to_bits_per_byte(loss, tokens, text_bytes)
    return replace(manifest, metrics=metrics)


def _describe(
    run: Run,
    base: LoadedBase,
    entries: list[LogEntry],
    score: HeldOutScore,
    kind: Literal["best", "last"],
    inputs: str,
) -> Manifest:
    evaluated = [e["eval_loss"] for e in entries if "eval_loss" in e]
    trained = [e["loss"] for e in entries if "loss" in e and e["step"] <= score.step]
    return Manifest(
        show=run.show,
        format=run.format,
        base=base.identity,
        rank=run.config.rank,
        config=asdict(run.config) | {"quantized": base.quantized},
        metrics={
            "eval_loss": score.loss,
            "base_eval_loss": evaluated[0],
            "last_eval_loss": evaluated[-1],
            "train_loss": trained[-1],
            "steps": float(entries[-1]["step"]),
            "adapter_step": float(score.step),
        },
        git_revision=git_revision(),
        inputs=inputs,
        versions=package_versions(),
        preset=run.preset,
        checkpoint=kind,
        finished=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M"),
        base_licence=SMOLLM2_LICENCE if base.identity.id == SMOLLM2_ID else "",
    )
