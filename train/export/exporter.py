"""Export of an adapter in a form that other engines load.

`export.json` has the held-out loss of the exported model and of the adapter as it was trained.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from nothing_gpt.adapter.manifest import Manifest, read_manifest
from nothing_gpt.files import atomic_folder, fingerprint, locked_folder, read_json, write_json
from nothing_gpt.records import decode, encode
from nothing_gpt.workspace import Workspace
from train.data.examples import read_examples, sample
from train.export.held_out_loss import Encoded, encode_examples, measure_loss
from train.export.merge import MergeTarget, TunedModel
from train.export.model_card import FILE as CARD
from train.export.model_card import base_name, render_card, write_scene

ExportForm = Literal["merged", "fp8", "gguf", "ollama"]
FILE = "export.json"

_CALIBRATION = 64
"""Training examples that fp8 is calibrated on."""


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """The record in an export's folder.

    Attributes:
        form: The form.
        show: The name of the show.
        base: The id of the base.
        examples: Held-out examples that the losses are measured on.
        losses: Held-out losses in nats a token: `adapter` as it was trained, `NF4` and `base`
            merged, and `exported`, that of these files.
        git_revision: The commit of the code.
        inputs: The fingerprint of adapter, base and form; an export is made again if it differs.
        under: What the adapter was merged into: `NF4` (dequantised) or `base`; None in exports of
            Ollama before 2026-11-28, which held the adapter by itself.
        versions: Versions of the libraries.
    """

    form: ExportForm
    show: str
    base: str
    examples: int
    losses: dict[str, float]
    git_revision: str
    inputs: str
    under: str | None = None
    versions: dict[str, str] = field(default_factory=dict)


def export(workspace: Workspace, name: str, form: ExportForm, *, fresh: bool = False) -> Path:
    """Export an adapter, unless the export is up to date, and return its folder.

    Args:
        workspace: The folder that the stages share.
        name: The name of the adapter.
        form: The form to export it in.
        fresh: Export it even if it is up to date.

    Raises:
        UserError: the adapter, its base or its data are missing, or the base has changed.
    """
    manifest = read_manifest(workspace.adapter(name))
    folder = workspace.export(name, form)
    inputs = fingerprint([form, manifest.inputs, manifest.base.fingerprint, encode(manifest.show)])
    with locked_folder(folder.parent, f"another export of '{name}' is running"):
        if not fresh and (folder / FILE).is_file() and read_export(folder).inputs == inputs:
            print(f"export '{name}' to {form} is up to date: {folder}")
            return folder
        with atomic_folder(folder) as work:
            _write(work, workspace, name, manifest, form, inputs)
    _print_summary(read_export(folder), folder)
    return folder


def read_export(folder: Path) -> ExportRecord:
    """Read the record of an export.

    Raises:
        UserError: there is no export in this folder, or its record has an unknown format.
    """
    return decode(ExportRecord, read_json(folder / FILE), str(folder / FILE))


def _write(
    work: Path,
    workspace: Workspace,
    name: str,
    manifest: Manifest,
    form: ExportForm,
    inputs: str,
) -> None:
    from train.artifacts.provenance import git_revision, package_versions
    from train.export import fp8 as export_fp8
    from train.export.llama_cpp.gguf_file import check_exportable, write_gguf
    from train.export.llama_cpp.modelfile import FILE as MODELFILE
    from train.export.llama_cpp.modelfile import render_modelfile
    from train.export.merge import load_tuned

    parts = TunedModel(manifest, workspace.find_base(manifest.base.id), workspace.adapter(name))
    tuned, tokenizer = load_tuned(parts)
    if form in ("gguf", "ollama"):
        check_exportable(tuned.config, tokenizer)
    training, held_out = _encode_examples(workspace, manifest, tokenizer)
    losses = {"adapter": measure_loss(tuned, held_out, "measuring the adapter")}
    del tuned
    under, model = _merge_best(parts, held_out, losses)
    if form == "fp8":
        export_fp8.quantise(model, training)
    losses["exported"] = losses[under]
    if form == "fp8":
        losses["exported"] = measure_loss(model, held_out, "measuring the export")
    scene = write_scene(model, tokenizer, manifest)
    card = render_card(name, manifest, losses, len(held_out), scene)
    (work / CARD).write_text(card, encoding="utf-8")
    if form in ("gguf", "ollama"):
        write_gguf(work / f"{name}.gguf", model, tokenizer, manifest.show.title)
    if form == "ollama":
        modelfile = render_modelfile(manifest, f"{name}.gguf", tokenizer)
        (work / MODELFILE).write_text(modelfile, encoding="utf-8")
    if form in ("merged", "fp8"):
        tokenizer.save_pretrained(work)
    if form == "fp8":
        export_fp8.save(model, work)
    if form == "merged":
        model.save_pretrained(work)
    record = ExportRecord(
        form=form,
        show=manifest.show.name,
        base=base_name(manifest),
        examples=len(held_out),
        losses=losses,
        git_revision=git_revision(),
        inputs=inputs,
        under=under,
        versions=package_versions(),
    )
    write_json(work / FILE, encode(record))


def _encode_examples(
    workspace: Workspace, manifest: Manifest, tokenizer: Any
) -> tuple[list[Encoded], list[Encoded]]:
    """Return training examples for calibration, and the held-out ones that training evaluated."""
    training, held_out = read_examples(workspace.examples(manifest.show, manifest.format))
    config = manifest.config
    held_out = sample(held_out, config.get("max_eval_examples"), config["seed"])
    training = sample(training, _CALIBRATION, config["seed"])
    most = config["max_length"]
    return encode_examples(tokenizer, training, most), encode_examples(tokenizer, held_out, most)


def _merge_best(
    parts: TunedModel, held_out: list[Encoded], losses: dict[str, float]
) -> tuple[MergeTarget, Any]:
    """Merge into every possible target, and keep the one with the lowest held-out loss."""
    from train.export.merge import merge

    quantized = parts.manifest.config["quantized"]
    targets: list[MergeTarget] = ["NF4", "base"] if quantized else ["base"]
    model: Any = None
    for target in targets:
        del model  # there may be memory for one
        model = merge(target, parts)
        losses[target] = measure_loss(model, held_out, f"measuring the merge into {target}")
    best = min(targets, key=lambda target: losses[target])
    return best, model if best == targets[-1] else merge(best, parts)


def _print_summary(record: ExportRecord, folder: Path) -> None:
    reference = record.losses["adapter"]
    print(f"export: {folder}")
    print(f"held-out loss of the adapter as trained: {reference:.5f} ({record.examples} examples)")
    names = {"NF4": "merged into dequantised NF4", "base": "merged into the base's own weights"}
    for key, loss in record.losses.items():
        if key != "adapter":
            print(f"  {names.get(key, 'as exported')}: {loss:.5f} ({loss - reference:+.5f})")
