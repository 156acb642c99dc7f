"""Writing the folder of a finished adapter."""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from nothing_gpt.adapter.bits_per_byte import count_bytes, describe_loss, to_bits_per_byte
from nothing_gpt.adapter.manifest import Manifest, write_manifest
from nothing_gpt.files import write_text
from train.artifacts import report
from train.artifacts.adapter_effect import is_silent, list_effect_warnings
from train.artifacts.parity_reference import measure_parity_reference
from train.artifacts.provenance import git_revision, package_versions
from train.artifacts.run_history import write_history
from train.base_model.loading import LoadedBase
from train.config.base_names import SMOLLM2_ID, SMOLLM2_LICENCE
from train.config.config_file import render_config
from train.config.run import Run
from train.data.chat_example import ChatExample
from train.data.examples import RunExamples
from train.estimate.machine import find_machine
from train.trainer.best_adapter import (
    HeldOutScore,
    WholeScore,
    find_best,
    load_adapter,
    save_adapter,
)
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
    whole: WholeScore | None = None,
) -> Manifest:
    """Write the better one of the best and the last adapter, with all files that describe it.

    Args:
        folder: An empty folder.
        run: The run.
        examples: Its examples.
        trainer: The trainer, at the end of the run.
        base: The base.
        inputs: The fingerprint of data, base and configuration.
        whole: The loss of all held-out examples, if these were evaluated.

    Returns:
        The manifest.
    """
    kept = {"loss", "eval_loss", "scenes"}
    entries = [entry for entry in trainer.state.log_history if kept & entry.keys()]
    scores = [HeldOutScore(int(e["step"]), e["eval_loss"]) for e in entries if "eval_loss" in e]
    last = scores[-1]
    best = find_best(run.checkpoints) or last
    kind = save_adapter(cast("PeftModel", trainer.model), last, run.checkpoints, folder)
    write_text(folder / CONFIG_FILE, render_config(run.config, run.base_option, run.format))
    write_text(folder / TEMPLATE_FILE, str(base.tokenizer.chat_template))
    write_history(folder, entries)
    score = best if kind == "best" else last
    manifest = _describe(run, base, entries, score, kind, inputs)
    metrics = dict(manifest.metrics)
    if trainer.eval_tokens:
        sampled = _Evaluation(examples.evaluated, trainer.eval_dataset, trainer.eval_tokens)
        for key in ("eval", "base_eval"):
            metrics |= _describe_loss(run, key, metrics[f"{key}_loss"], sampled)
    if whole:
        every = _Evaluation(examples.held_out, trainer.all_held_out, whole.tokens)
        metrics |= _describe_loss(run, "all_eval", whole.loss, every)
        metrics["all_eval_seconds"] = whole.seconds
    load_adapter(trainer.model, folder)  # the one in memory may be another
    with trainer.generating():
        silent = is_silent(trainer.model, base.tokenizer)
    manifest = replace(manifest, metrics=metrics, silent=silent)
    write_manifest(folder, manifest)
    measure_parity_reference(folder, examples, trainer, quantized=base.quantized)
    machine = find_machine(current_group().size)
    seen = int(entries[-1]["step"]) * run.config.effective_batch
    used = report.UsedExamples(min(seen, len(examples.trained)), len(examples.evaluated))
    page = report.render_report(run.name, manifest, entries, run.data_report, used, machine)
    write_text(folder / report.FILE, page)
    return manifest


def count_scored_bytes(run: Run, examples: list[ChatExample], rows: Any) -> int:
    """Return the bytes of the completions that a held-out loss is of.

    It is 0 if the loss is also of prompts, or if examples were cut: tokens and text do not belong
    together then.

    Args:
        run: The run.
        examples: The evaluated examples.
        rows: What the trainer made of them.
    """
    longest = max(map(len, rows["input_ids"]), default=0)
    whole = len(rows) == len(examples) and longest < run.config.max_length
    if not (run.config.completion_only and whole):
        return 0
    return count_bytes(m["content"] for example in examples for m in example["completion"])


def summarize(adapter: Path, manifest: Manifest) -> str:
    """Return lines on the result of a run."""
    m = manifest.metrics
    which = "" if manifest.checkpoint == "last" else f", the best of {m['steps']:.0f}"
    lines = [
        f"adapter: {adapter}",
        f"held-out loss {describe_loss(m)} after {m['adapter_step']:.0f} steps{which}",
        f"({describe_loss(m, 'base_')} without the adapter){report.describe_all(m)};"
        f" see {report.FILE}",
        *(f"warning: {warning}" for warning in list_effect_warnings(adapter.name, manifest)),
    ]
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Evaluation:
    """Held-out examples, the rows that TRL made of them, and the tokens of their loss."""

    examples: list[ChatExample]
    rows: Any
    tokens: int


def _describe_loss(run: Run, name: str, loss: float, evaluation: _Evaluation) -> dict[str, float]:
    """Return a loss as metrics, with bits a byte if tokens and text belong together."""
    metrics = {f"{name}_loss": loss}
    if text_bytes := count_scored_bytes(run, evaluation.examples, evaluation.rows):
        metrics[f"{name}_bits_per_byte"] = to_bits_per_byte(loss, evaluation.tokens, text_bytes)
    return metrics


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
