"""The engine decodes in 8 bits only where that was measured to cost nothing."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from nothing_gpt.adapter.manifest import BaseModel, fingerprint_base, read_manifest, write_manifest
from nothing_gpt.files import read_json, write_json, write_jsonl
from nothing_gpt.workspace import HELD_OUT_FILE, Workspace
from serve.local_engine.model import LocalModel
from serve.local_engine.precision import FILE, prepare_decoder
from serve.models.served_models import choose_models
from tests.serve.conftest import BASE, TEXTS

NAME = "tiny"


@pytest.fixture
def place(workspace: Workspace, tmp_path: Path) -> Workspace:
    """A workspace with the tiny base in bf16, one adapter, and its held-out examples."""
    place = Workspace(tmp_path)
    base = place.root / "bases" / BASE
    shutil.copytree(workspace.find_base(BASE), base)
    AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16).save_pretrained(base)
    shutil.copytree(workspace.adapter(NAME), place.adapter(NAME))
    manifest = read_manifest(place.adapter(NAME))
    state = BaseModel(BASE, fingerprint_base(base))
    write_manifest(place.adapter(NAME), replace(manifest, base=state))
    prompt = [{"role": "user", "content": TEXTS[0]}]
    records = [{"prompt": prompt, "completion": [{"role": "assistant", "content": TEXTS[1]}]}]
    data = place.examples(manifest.show, manifest.format)
    data.mkdir(parents=True)
    write_jsonl(data / HELD_OUT_FILE, records)
    return place


def choose(place: Workspace) -> str:
    models = choose_models(place)
    model = LocalModel(models, rows=1)
    prepare_decoder(model, models, place)
    return model.precision


def test_8_bits_are_chosen_by_their_loss_which_is_kept(place: Workspace) -> None:
    first = choose(place)
    kept = read_json(place.adapter(NAME) / FILE)
    assert kept["examples"] == 1
    assert abs(kept["int8"] - kept["bfloat16"]) < 0.1
    assert first == ("int8" if kept["int8"] <= kept["bfloat16"] + 0.01 else "bfloat16")
    for change, wanted in ((0.009, "int8"), (0.011, "bfloat16")):
        losses = kept | {"int8": kept["bfloat16"] + change}
        write_json(place.adapter(NAME) / FILE, losses)
        assert choose(place) == wanted
        assert read_json(place.adapter(NAME) / FILE) == losses


def test_losses_of_another_torch_are_measured_again(place: Workspace) -> None:
    losses = {"int8": 9.0, "bfloat16": 1.0, "examples": 1, "torch": "1.0"}
    write_json(place.adapter(NAME) / FILE, losses)
    choose(place)
    assert read_json(place.adapter(NAME) / FILE)["torch"] == torch.__version__


def test_without_held_out_examples_it_is_bf16(place: Workspace) -> None:
    shutil.rmtree(place.root / "data")
    assert choose(place) == "bfloat16"
    assert not (place.adapter(NAME) / FILE).exists()


def test_what_only_transformers_computes_is_left_as_it_is(workspace: Workspace) -> None:
    assert choose(workspace) == "float32"
