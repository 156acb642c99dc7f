"""The model in memory, by each of its two ways: transformers' layers and the decoder for CPUs."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from nothing_gpt.adapter.manifest import read_manifest, write_manifest
from nothing_gpt.workspace import Workspace
from serve.local_engine.model import LocalModel
from serve.local_engine.nf4_rounding import round_to_nf4
from serve.models.served_models import choose_models
from tests.serve.conftest import BASE

IDS = [5, 60, 70, 80, 90, 100, 110]


def load(workspace: Workspace, dtype: str, prepare: Callable[[Any], object] | None) -> LocalModel:
    return LocalModel(choose_models(workspace, "tiny"), rows=1, dtype=dtype, prepare=prepare)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@torch.inference_mode()
def test_logits_after_each_token_are_those_of_one_token_after_the_other(
    workspace: Workspace, dtype: str
) -> None:
    model = load(workspace, dtype, None)
    together = model.forward([IDS], 0, [0], ["tiny"], after_each=True)[-4:]
    first = model.forward([IDS[:4]], 0, [0], ["tiny"])
    rest = [model.forward([[IDS[i]]], 0, [i], ["tiny"]) for i in range(4, 7)]
    # A single token goes through weights of 8 bits in the decoder for CPUs.
    tolerance = 1e-5 if dtype == "float32" else 0.1
    assert (together - torch.cat([first, *rest])).norm() < tolerance * together.norm()


@torch.inference_mode()
def test_a_base_named_like_its_adapter_answers_for_itself(
    workspace: Workspace, tmp_path: Path
) -> None:
    """Both were one model in the list, and the base was lost."""
    place = Workspace(tmp_path)
    shutil.copytree(workspace.find_base(BASE), place.model("tiny"))
    shutil.copytree(workspace.adapter("tiny"), place.adapter("tiny"))
    manifest = read_manifest(place.adapter("tiny"))
    renamed = replace(manifest, base=replace(manifest.base, id="tiny"))
    write_manifest(place.adapter("tiny"), renamed)
    model = load(place, "float32", None)
    assert model.names == ["tiny-base", "tiny"]
    usual = load(workspace, "float32", None)
    for name, usual_name in (("tiny-base", BASE), ("tiny", "tiny")):
        found = model.forward([IDS], 0, [0], [name])
        torch.testing.assert_close(found, usual.forward([IDS], 0, [0], [usual_name]))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@torch.inference_mode()
def test_a_base_is_prepared_before_its_weights_are_packed(
    workspace: Workspace, dtype: str
) -> None:
    plain, rounded = (
        load(workspace, dtype, prepare).forward([IDS[:1]], 0, [0], ["tiny"])
        for prepare in (None, round_to_nf4)
    )
    assert (plain - rounded).norm() > 0.05 * plain.norm()
