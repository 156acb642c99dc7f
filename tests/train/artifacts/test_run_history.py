"""A preset at the size of a test, and its row in the table of runs."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from nothing_gpt.adapter.manifest import read_manifest
from nothing_gpt.errors import UserError
from nothing_gpt.files import read_json
from nothing_gpt.workspace import Workspace
from tests.train.conftest import RECIPE, TOML
from train.artifacts.__main__ import main
from train.artifacts.run_history import read_runs, render_table
from train.base_model.loading import load_base
from train.config.presets import PRESETS, at_pocket_size
from train.config.run import Run, resolve_run
from train.data.examples import read_examples
from train.export.exporter import export, read_export
from train.finetuning import finetune
from train.trainer_factory import build_trainer


def prepare(place: Workspace, format_name: str) -> None:
    toml = place.root.parent / "show.toml"
    toml.write_text(TOML.replace('"scripts"', f'"{scripts()}"'))
    options = ["--show", str(toml), "--workspace", str(place.root), "--tokenizer", "none"]
    command = [sys.executable, "-m", "data_prep", *options, "--format", format_name]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def scripts() -> Path:
    from nothing_gpt.show import SHOWS

    return SHOWS / "unclaimed" / "scripts"


def repeat(run: Run, place: Workspace, name: str) -> Run:
    preset = PRESETS[name]
    config = replace(run.config, rank=preset.config.rank, alpha=preset.config.alpha)
    config = replace(config, completion_only=preset.config.completion_only, max_steps=2)
    config = replace(config, all_at_end=True)
    return resolve_run(run.show, "pocket", config, place, preset=preset, pretraining=RECIPE)


def test_a_preset_has_data_and_an_adapter_of_its_own_and_shares_the_base(
    run: Run, place: Workspace, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="run 'python -m data_prep --show NAME --format single-t"):
        repeat(run, place, "phase1-r16")
    prepare(place, "single-turn")
    built = (place.base("tiny") / "pocket.json").stat().st_mtime_ns
    folder = finetune(replace(repeat(run, place, "phase1-r16"), fresh=True))
    assert (place.base("tiny") / "pocket.json").stat().st_mtime_ns == built
    assert folder == place.adapter("tiny-phase1-r16")
    assert not place.adapter("tiny").exists()
    manifest = read_manifest(folder)
    assert (manifest.preset, manifest.format, manifest.rank) == ("phase1-r16", "single-turn", 16)
    report = (folder / "report.md").read_text()
    for text in (
        "# Adapter tiny-phase1-r16",
        "![loss](loss.png)",
        manifest.inputs,
        "| rank | 16 |",
    ):
        assert text in report
    whole = manifest.metrics["all_eval_loss"]
    assert (
        f"{whole:.3f} ({manifest.metrics['all_eval_bits_per_byte']:.3f} bits a byte) on all"
        in report
    )
    # An export measures with examples of the adapter's own format.
    exported = read_export(export(place, folder.name, "merged"))
    assert exported.losses["adapter"] == pytest.approx(manifest.metrics["eval_loss"], rel=0.02)
    logged = [e for e in read_json(folder / "history.json") if "loss" in e]
    assert [e["tokens"] for e in logged] == sorted({e["tokens"] for e in logged})
    assert all(e["tokens_per_second"] > 0 and e["memory_gib"] > 0 for e in logged)

    runs = read_runs(place, "tiny")
    rows = {line.split("|")[1].strip(): line for line in render_table(runs).splitlines()}
    assert "2.585 at 0.9" in rows["phase1-r16"]
    assert f"{manifest.metrics['eval_loss']:.3f} at" in rows["phase1-r16"]
    assert "not run" in rows["phase3"]
    main("tiny", tmp_path / "curves.png", place.root)
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert f"Curves: {tmp_path / 'curves.png'}" in capsys.readouterr().out


def test_the_second_phase_learns_from_the_whole_chat(run: Run, place: Workspace) -> None:
    prepare(place, "per-character")
    chosen = repeat(run, place, "phase2-r32")
    training, held_out = read_examples(chosen.data)
    loaded = load_base(chosen.base, chosen.base_source, quantize="nf4")
    trainer = build_trainer(chosen, chosen.config, loaded, training[:4], held_out[:1])
    batch = next(iter(trainer.get_train_dataloader()))
    assert (batch["labels"] != -100).equal(batch["attention_mask"] == 1)


def test_examples_of_another_format_are_refused(run: Run, place: Workspace) -> None:
    run.data.rename(place.data("tiny", "single-turn"))
    with pytest.raises(UserError, match="examples of the format 'script', not 'single-turn'"):
        repeat(run, place, "phase1-r16")


def test_nothing_run_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main("unclaimed", None, tmp_path)
    output = capsys.readouterr().out
    assert output.count("not run") == len(PRESETS)
    assert "No run of 'unclaimed' here yet" in output


def test_a_real_base_keeps_the_presets_method() -> None:
    from train.config.presets import with_profile
    from train.config.profiles import load_profile

    config = with_profile(PRESETS["phase2-r64"], load_profile("fast"))
    assert (config.rank, config.alpha, config.completion_only) == (64, 128, False)
    assert config.fused
    assert config.effective_batch == PRESETS["phase2-r64"].config.effective_batch
    assert at_pocket_size(PRESETS["phase1-r16"]).max_length == 512
