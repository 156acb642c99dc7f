"""Write an adapter in a form that other engines take: `python -m train.export --to merged`.

Each form's held-out loss is measured against the adapter as it was trained, and stands in the
folder's `export.json`.
"""

import logging
import os
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import typer

from nothing_gpt.adapter.manifest import Manifest, read_manifest
from nothing_gpt.errors import UserError
from nothing_gpt.files import atomic_folder, fingerprint, locked_folder, read_json, write_json
from nothing_gpt.records import decode, encode
from nothing_gpt.workspace import Workspace
from train.data.examples import read_examples, sample
from train.export.held_out_loss import Encoded, encode_examples, measure_loss
from train.export.merge import MergeTarget, TunedModel

ExportForm = Literal["merged", "fp8", "ollama"]
FILE = "export.json"

_CALIBRATION = 64  # training examples by which fp8 measures activations

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """What an exported model says of itself.

    Attributes:
        under: What the adapter was merged into: `NF4` (dequantised) or `base`; None if it was not.
        losses: Held-out loss in nats a token: `adapter` as it was trained, `NF4` and `base`
            merged, and `exported`, that of these files.
        inputs: Fingerprint by which a second export knows that there is nothing to do.
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


@app.command()
def main(
    show: Annotated[str, typer.Option(help="Name of a trained adapter.")],
    to: Annotated[
        str, typer.Option(help=f"One of: {', '.join(get_args(ExportForm))}.")
    ] = "merged",
    fresh: Annotated[bool, typer.Option("--fresh", help="Write it again in any case.")] = False,
    workspace: Annotated[
        Path | None, typer.Option(help="Folder that the stages share.", show_default="workspace")
    ] = None,
) -> None:
    """Write an adapter in a form that other engines take, and measure its held-out loss.

    merged: one plain model. fp8: the same in 8-bit floats, for vLLM on Ada or Hopper. ollama: the
    adapter and a Modelfile.
    """
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TQDM_DISABLE", "1")
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # an optional kernel package
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
    place = Workspace(workspace) if workspace else Workspace.default()
    form = next((form for form in get_args(ExportForm) if form == to), None)
    if form is None:
        raise UserError(f"no form '{to}'; there are {', '.join(get_args(ExportForm))}")
    export(place, show, form, fresh=fresh)


def export(place: Workspace, name: str, form: ExportForm, *, fresh: bool = False) -> Path:
    """Write an adapter in another form, or find that it is there already; return its folder.

    Raises:
        UserError: there is no such adapter, its base is another one now or cannot be had, or its
            data is gone.
    """
    manifest = read_manifest(place.adapter(name))
    folder = place.export(name, form)
    inputs = fingerprint([form, manifest.inputs, manifest.base.fingerprint])
    with locked_folder(folder.parent, f"another export of '{name}' is running"):
        if not fresh and (folder / FILE).is_file() and read_export(folder).inputs == inputs:
            print(f"export '{name}' to {form} is up to date: {folder}")
            return folder
        with atomic_folder(folder) as work:
            _write(work, place, name, form, inputs)
    _print_summary(read_export(folder), folder)
    return folder


def read_export(folder: Path) -> ExportRecord:
    """Read what an exported model says of itself.

    Raises:
        UserError: there is no export in this folder, or it is not of this version's form.
    """
    return decode(ExportRecord, read_json(folder / FILE), str(folder / FILE))


def _write(work: Path, place: Workspace, name: str, form: ExportForm, inputs: str) -> None:
    from train.artifacts.provenance import git_revision, package_versions
    from train.export import fp8 as export_fp8
    from train.export import ollama as export_ollama
    from train.export.merge import load_rounded, load_tuned

    manifest = read_manifest(place.adapter(name))
    parts = TunedModel(manifest, place.find_base(manifest.base.id), place.adapter(name))
    tuned, tokenizer = load_tuned(parts)
    training, held_out = _encode_examples(place, manifest, tokenizer)
    losses = {"adapter": measure_loss(tuned, held_out)}
    del tuned
    under: MergeTarget | None = None
    if form == "ollama":
        export_ollama.write_folder(work, parts, tokenizer)
        losses["exported"] = measure_loss(load_rounded(parts, "float16"), held_out)
    else:
        under, model = _merge_closest(parts, held_out, losses)
        if form == "fp8":
            export_fp8.quantise(model, training)
        losses["exported"] = measure_loss(model, held_out)
        (export_fp8.save if form == "fp8" else _save)(model, work)
        tokenizer.save_pretrained(work)
    record = ExportRecord(
        form=form,
        show=manifest.show.name,
        base=manifest.base.id,
        examples=len(held_out),
        losses=losses,
        git_revision=git_revision(),
        inputs=inputs,
        under=under,
        versions=package_versions(),
    )
    write_json(work / FILE, encode(record))


def _encode_examples(
    place: Workspace, manifest: Manifest, tokenizer: Any
) -> tuple[list[Encoded], list[Encoded]]:
    """Give training examples to calibrate with, and the held-out ones that training measured."""
    training, held_out = read_examples(place.data(manifest.show.name))
    config = manifest.config
    held_out = sample(held_out, config.get("max_eval_examples"), config["seed"])
    training = sample(training, _CALIBRATION, config["seed"])
    most = config["max_length"]
    return encode_examples(tokenizer, training, most), encode_examples(tokenizer, held_out, most)


def _merge_closest(
    parts: TunedModel, held_out: list[Encoded], losses: dict[str, float]
) -> tuple[MergeTarget, Any]:
    """Merge in every way that there is; keep that whose loss is nearest to the adapter's."""
    from train.export.merge import merge

    ways: list[MergeTarget] = ["NF4", "base"] if parts.manifest.config["quantized"] else ["base"]
    for under in ways:
        losses[under] = measure_loss(merge(under, parts), held_out)
    closest = min(ways, key=lambda under: abs(losses[under] - losses["adapter"]))
    return closest, merge(closest, parts)


def _save(model: Any, folder: Path) -> None:
    model.save_pretrained(folder)


def _print_summary(record: ExportRecord, folder: Path) -> None:
    reference = record.losses["adapter"]
    print(f"export: {folder}")
    print(f"held-out loss of the adapter as trained: {reference:.5f} ({record.examples} examples)")
    names = {"NF4": "merged into dequantised NF4", "base": "merged into the base's own weights"}
    for key, loss in record.losses.items():
        if key != "adapter":
            print(f"  {names.get(key, 'as exported')}: {loss:.5f} ({loss - reference:+.5f})")
