"""The exported forms of an adapter, compared with the adapter as it was trained."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from nothing_gpt.adapter.manifest import read_manifest
from nothing_gpt.errors import UserError
from nothing_gpt.show import Show
from nothing_gpt.workspace import Workspace
from train.export.exporter import export, read_export
from train.export.merge import TunedModel, merge


def test_adapter_is_measured_as_training_measured_it(
    merged: Path, trained: Workspace, show: Show
) -> None:
    # Training's figure is a mean over batches, this one over tokens.
    reported = read_manifest(trained.adapter(show.name)).metrics["eval_loss"]
    assert read_export(merged).losses["adapter"] == pytest.approx(reported, rel=0.02)


def test_the_merge_with_the_lower_loss_is_kept_and_anyone_can_load_it(
    merged: Path, loss_of: Callable[[Path], float]
) -> None:
    record = read_export(merged)
    assert record.losses["NF4"] == pytest.approx(record.losses["adapter"], abs=1e-4)
    assert record.under is not None
    other = {"NF4": "base", "base": "NF4"}[record.under]
    assert record.losses[record.under] < record.losses[other]
    assert record.losses["exported"] == record.losses[record.under]
    assert loss_of(merged) == pytest.approx(record.losses["exported"], abs=1e-5)


def test_rounded_weights_stand_at_exact_positions(trained: Workspace, show: Show) -> None:
    import torch

    adapter = trained.adapter(show.name)
    base = trained.root / "rounded"
    shutil.copytree(trained.base(show.name), base)
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(config | {"dtype": "bfloat16"}))
    model = merge("base", TunedModel(read_manifest(adapter), str(base), adapter))
    assert model.model.layers[0].mlp.up_proj.weight.dtype == torch.bfloat16
    assert model.model.rotary_emb.inv_freq.dtype == torch.float32


def test_fp8_has_one_scale_a_tensor_and_one_for_what_vllm_joins(
    trained: Workspace, show: Show, loss_of: Callable[[Path], float]
) -> None:
    import torch
    from safetensors.torch import load_file

    folder = export(trained, show.name, "fp8")
    tensors = load_file(folder / "model.safetensors")
    stem = "model.layers.0.self_attn"
    assert tensors[f"{stem}.q_proj.weight"].dtype == torch.float8_e4m3fn
    scales = {tensors[f"{stem}.{name}_proj.weight_scale"].item() for name in "qkv"}
    assert len(scales) == 1
    assert tensors[f"{stem}.q_proj.input_scale"].numel() == 1
    assert "lm_head.weight_scale" not in tensors
    stated = json.loads((folder / "config.json").read_text())["quantization_config"]
    assert stated["quant_method"] == "compressed-tensors"
    record = read_export(folder)
    assert record.under is not None
    assert 0 < abs(record.losses["exported"] - record.losses[record.under]) < 0.1
    assert loss_of(folder) == pytest.approx(record.losses["exported"], abs=2e-3)


def test_what_is_there_is_not_written_again(
    merged: Path, trained: Workspace, show: Show, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (merged / "model.safetensors").stat().st_mtime_ns
    assert export(trained, show.name, "merged") == merged
    assert "up to date" in capsys.readouterr().out
    assert (merged / "model.safetensors").stat().st_mtime_ns == before


def test_failure_leaves_the_older_export_as_it_was(
    merged: Path, trained: Workspace, show: Show
) -> None:
    held_out = trained.data(show.name) / "val.jsonl"
    text = held_out.read_text()
    held_out.write_text("{")
    try:
        with pytest.raises(UserError, match="damaged"):
            export(trained, show.name, "merged", fresh=True)
    finally:
        held_out.write_text(text)
    assert read_export(merged).losses
    assert [path.name for path in merged.parent.glob(".*")] == []


def test_base_that_was_trained_again_is_refused(
    trained: Workspace, show: Show, tmp_path: Path
) -> None:
    other = Workspace(tmp_path / "workspace")
    shutil.copytree(trained.root, other.root)
    config = other.base(show.name) / "config.json"
    config.write_text(config.read_text().replace("silu", "gelu"))
    with pytest.raises(UserError, match="train the adapter again"):
        export(other, show.name, "merged", fresh=True)
