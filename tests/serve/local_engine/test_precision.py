"""The engine serves packed weights only where that was measured to cost nothing."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from nothing_gpt.adapter.manifest import BaseModel, fingerprint_base, read_manifest, write_manifest
from nothing_gpt.adapter.parity_reference import (
    JudgedExample,
    ParityReference,
    fingerprint_ids,
    write_parity_reference,
)
from nothing_gpt.files import read_json, write_json, write_text
from nothing_gpt.prompt import Message
from nothing_gpt.workspace import HELD_OUT_FILE, Workspace
from serve.local_engine.model import LocalModel
from serve.local_engine.nf4_rounding import round_to_nf4
from serve.local_engine.precision import FILE, choose_precision
from serve.models.served_models import choose_models
from tests.serve.conftest import BASE, TEXTS

NAME = "tiny"
PROMPT: list[Message] = [{"role": "user", "content": TEXTS[0]}]
COMPLETION: list[Message] = [{"role": "assistant", "content": TEXTS[1]}]


@pytest.fixture
def place(workspace: Workspace, tmp_path: Path) -> Workspace:
    """A workspace with the tiny base in bf16, an adapter, and an example that it was judged on."""
    place = Workspace(tmp_path)
    base = place.root / "bases" / BASE
    shutil.copytree(workspace.find_base(BASE), base)
    AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16).save_pretrained(base)
    shutil.copytree(workspace.adapter(NAME), place.adapter(NAME))
    manifest = read_manifest(place.adapter(NAME))
    state = BaseModel(BASE, fingerprint_base(base))
    write_manifest(place.adapter(NAME), replace(manifest, base=state))
    data = place.examples(manifest.show, manifest.format)
    data.mkdir(parents=True)
    write_example(data / HELD_OUT_FILE, PROMPT, COMPLETION)
    record_training_loss(place, 9.0)
    return place


def write_example(path: Path, prompt: list[Message], completion: list[Message]) -> None:
    write_text(path, json.dumps({"prompt": prompt, "completion": completion}) + "\n")


def record_training_loss(place: Workspace, loss: float) -> None:
    model = LocalModel(choose_models(place, base=BASE), rows=1)
    ids = model.tokenize(PROMPT + COMPLETION, add_generation_prompt=False)
    completion = len(ids) - len(model.tokenize(PROMPT))
    judged = JudgedExample(0, len(ids), completion, fingerprint_ids(ids), loss)
    write_parity_reference(
        place.adapter(NAME), ParityReference(quantized=False, dtype="bfloat16", judged=(judged,))
    )


def choose(place: Workspace) -> str:
    models = choose_models(place, base=BASE)
    model = LocalModel(models, rows=1)
    choose_precision(model, models, place)
    return model.precision


@pytest.mark.parametrize(("worse_by", "precision"), [(0.009, "int8"), (0.011, "float32")])
def test_packed_weights_may_be_worse_than_training_by_a_hundredth_nat(
    place: Workspace, worse_by: float, precision: str
) -> None:
    choose(place)
    packed = read_json(place.adapter(NAME) / FILE)["packed"]
    (place.adapter(NAME) / FILE).unlink()
    record_training_loss(place, packed - worse_by)
    assert choose(place) == precision


def test_the_loss_is_measured_once_for_the_versions_of_libraries(place: Workspace) -> None:
    assert choose(place) == "int8"
    kept = read_json(place.adapter(NAME) / FILE)
    assert kept["examples"] == 1
    assert 1 < kept["packed"] < 9
    for changed, precision in (
        ({}, "float32"),
        ({"computed_by": "torch 1.0"}, "int8"),
        ({"computed_by": None, "torch": "1.0"}, "int8"),  # as earlier versions wrote it
    ):
        write_json(place.adapter(NAME) / FILE, kept | {"packed": 10.0} | changed)
        assert choose(place) == precision
    assert read_json(place.adapter(NAME) / FILE) == kept


@pytest.mark.parametrize("missing", ["examples", "other examples", "reference", "adapter"])
def test_what_cannot_be_measured_is_served_in_float32(place: Workspace, missing: str) -> None:
    manifest = read_manifest(place.adapter(NAME))
    held_out = place.examples(manifest.show, manifest.format) / HELD_OUT_FILE
    match missing:
        case "examples":
            held_out.unlink()
        case "other examples":
            write_example(held_out, COMPLETION, PROMPT)
        case "reference":
            (place.adapter(NAME) / "parity.json").unlink()
        case "adapter":
            shutil.rmtree(place.adapter(NAME))
    assert choose(place) == "float32"
    assert not (place.adapter(NAME) / FILE).exists()


@pytest.mark.parametrize(("worse_by", "precision"), [(-0.02, "float32"), (0.02, "nf4")])
def test_an_adapter_of_nf4_is_served_over_full_weights_if_these_are_better(
    workspace: Workspace, place: Workspace, worse_by: float, precision: str
) -> None:
    base = place.root / "bases" / BASE
    shutil.rmtree(base)
    shutil.copytree(workspace.find_base(BASE), base)
    manifest = read_manifest(place.adapter(NAME))
    state = BaseModel(BASE, fingerprint_base(base))
    trained = replace(manifest, base=state, config={"quantized": True})
    write_manifest(place.adapter(NAME), trained)
    assert choose(place) == "float32"  # far better than the recorded 9 nats
    full = read_json(place.adapter(NAME) / FILE)["full"]
    (place.adapter(NAME) / FILE).unlink()
    record_training_loss(place, full - worse_by)
    assert choose(place) == precision
    assert choose(place) == precision  # by the kept file
    models = choose_models(place, base=BASE)
    served, rounded = LocalModel(models, rows=1), LocalModel(models, rows=1, prepare=round_to_nf4)
    choose_precision(served, models, place)
    ids = [[5, 60, 70, 80]]
    found, over_nf4 = (each.forward(ids, 0, [0], [NAME]) for each in (served, rounded))
    assert torch.allclose(found, over_nf4, atol=1e-5) == (precision == "nf4")


def test_what_transformers_computes_is_left_as_it_is(workspace: Workspace) -> None:
    assert choose(workspace) == "float32"
