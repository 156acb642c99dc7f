"""An adapter that is trained once, and its exports."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nothing_gpt.show import Show
from nothing_gpt.workspace import Workspace
from train.config.pretraining_config import PretrainingConfig
from train.config.run import resolve_run
from train.config.training_config import TrainingConfig
from train.export.exporter import export
from train.finetuning import finetune

RECIPE = PretrainingConfig(tokens=4_000)


@pytest.fixture(scope="session")
def trained(
    show: Show, base: Workspace, brief: TrainingConfig, tmp_path_factory: pytest.TempPathFactory
) -> Workspace:
    """A workspace with an adapter that has learnt something, if nothing of use."""
    place = Workspace(tmp_path_factory.mktemp("export") / "workspace")
    shutil.copytree(base.root, place.root)
    config = replace(brief, learning_rate=0.02)
    finetune(resolve_run(show, "pocket", config, place, pretraining=RECIPE))
    return place


@pytest.fixture(scope="session")
def merged(trained: Workspace, show: Show) -> Path:
    return export(trained, show.name, "merged")


@pytest.fixture(scope="session")
def ollama(trained: Workspace, show: Show) -> Path:
    return export(trained, show.name, "ollama")


@pytest.fixture(scope="session")
def loss_of(trained: Workspace, show: Show) -> Callable[[Path], float]:
    """Measures the held-out loss of a folder, read as a stranger to adapters reads it."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from nothing_gpt.adapter.manifest import read_manifest
    from train.data.examples import read_examples, sample
    from train.export.held_out_loss import encode_examples, measure_loss

    config = read_manifest(trained.adapter(show.name)).config
    held_out = read_examples(trained.data(show.name))[1]
    held_out = sample(held_out, config["max_eval_examples"], config["seed"])

    def measure(folder: Path) -> float:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        encoded = encode_examples(tokenizer, held_out, config["max_length"])
        return measure_loss(AutoModelForCausalLM.from_pretrained(folder), encoded)

    return measure
