"""The exported forms of an adapter, compared with the adapter as it was trained."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from nothing_gpt.adapter.manifest import read_manifest
from nothing_gpt.errors import UserError
from nothing_gpt.show import Show
from nothing_gpt.workspace import Workspace
from train.config.pretraining_config import PretrainingConfig
from train.config.run import resolve_run
from train.config.training_config import TrainingConfig
from train.export.exporter import export, read_export
from train.finetuning import finetune

RECIPE = PretrainingConfig(tokens=4_000)


@pytest.fixture(scope="module")
def trained(
    show: Show, base: Workspace, brief: TrainingConfig, tmp_path_factory: pytest.TempPathFactory
) -> Workspace:
    """A workspace with an adapter that has learnt something, if nothing of use."""
    place = Workspace(tmp_path_factory.mktemp("export") / "workspace")
    shutil.copytree(base.root, place.root)
    config = replace(brief, learning_rate=0.02)
    finetune(resolve_run(show, "pocket", config, place, pretraining=RECIPE))
    return place


@pytest.fixture(scope="module")
def merged(trained: Workspace, show: Show) -> Path:
    return export(trained, show.name, "merged")


def test_adapter_is_measured_as_training_measured_it(
    merged: Path, trained: Workspace, show: Show
) -> None:
    # Training's figure is a mean over batches, this one over tokens.
    reported = read_manifest(trained.adapter(show.name)).metrics["eval_loss"]
    assert read_export(merged).losses["adapter"] == pytest.approx(reported, rel=0.02)


def test_merged_into_what_4_bits_left_of_the_base_it_computes_the_same(
    merged: Path, trained: Workspace, show: Show
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from train.data.examples import read_examples, sample
    from train.export.held_out_loss import encode_examples, measure_loss

    record = read_export(merged)
    assert record.under == "NF4"
    assert record.losses["NF4"] == pytest.approx(record.losses["adapter"], abs=1e-4)
    assert record.losses["base"] != record.losses["NF4"]

    # The files themselves, read by somebody who knows nothing of adapters.
    model = AutoModelForCausalLM.from_pretrained(merged)
    tokenizer = AutoTokenizer.from_pretrained(merged)
    config = read_manifest(trained.adapter(show.name)).config
    held_out = read_examples(trained.data(show.name))[1]
    held_out = sample(held_out, config["max_eval_examples"], config["seed"])
    loss = measure_loss(model, encode_examples(tokenizer, held_out, config["max_length"]))
    assert loss == pytest.approx(record.losses["exported"], abs=1e-5)


def test_fp8_has_one_scale_a_tensor_and_one_for_what_vllm_joins(
    trained: Workspace, show: Show
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
    assert 0 < abs(record.losses["exported"] - record.losses["NF4"]) < 0.1


def test_ollama_gets_the_prompt_word_for_word(trained: Workspace, show: Show) -> None:
    from transformers import AutoTokenizer

    folder = export(trained, show.name, "ollama")
    template = (folder / "Modelfile").read_text().split('"""')[1]
    tokenizer = AutoTokenizer.from_pretrained(trained.base(show.name))
    tokenizer.chat_template = (trained.adapter(show.name) / "chat_template.jinja").read_text()
    messages = [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}]
    wanted = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    filled = template.replace("{{ .System }}", "S").replace("{{ .Prompt }}", "U")
    assert f"{tokenizer.bos_token}{filled}" == f"{wanted}{{{{ .Response }}}}"
    assert (folder / "base" / "model.safetensors").is_file()
    assert (folder / "adapter_model.safetensors").is_file()


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
