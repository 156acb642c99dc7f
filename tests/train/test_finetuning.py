"""The real training path, bitsandbytes and TRL included, at the size of a test."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nothing_gpt.adapter.manifest import read_manifest
from nothing_gpt.errors import UserError
from nothing_gpt.files import locked_folder, read_json
from nothing_gpt.workspace import Workspace
from tests.train.conftest import TOML
from train.base_model.loading import load_base
from train.config.run import Run, resolve_run
from train.data.chat_example import ChatExample
from train.data.examples import read_examples
from train.finetuning import finetune
from train.trainer_factory import build_trainer

# Runs a training as a user's command would, in a process that can be killed.
SCRIPT = """
import sys
from pathlib import Path
from nothing_gpt.errors import reported_errors
from nothing_gpt.show import load_show
from nothing_gpt.workspace import Workspace
from tests.train.conftest import BRIEF, RECIPE
from train.config.run import resolve_run
from train.finetuning import finetune
with reported_errors():
    show, place = load_show(sys.argv[1]), Workspace(Path(sys.argv[2]))
    finetune(resolve_run(show, "pocket", BRIEF, place, pretraining=RECIPE))
"""


def process(workspace: Workspace) -> "subprocess.Popen[str]":
    toml = workspace.root.parent / "show.toml"
    toml.write_text(TOML)
    command = [sys.executable, "-c", SCRIPT, str(toml), str(workspace.root)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_an_adapter_is_whole_and_a_second_run_has_nothing_to_do(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = finetune(run)
    manifest = read_manifest(folder)
    assert manifest.show == run.show
    assert manifest.format == "script"
    assert manifest.base.id == "pocket-tiny"
    assert manifest.metrics["steps"] == 6
    assert manifest.metrics["eval_loss"] < manifest.metrics["base_eval_loss"]
    for name in ("adapter_model.safetensors", "chat_template.jinja", "loss.png"):
        assert (folder / name).stat().st_size > 0
    steps = [e["step"] for e in read_json(folder / "history.json") if "eval_loss" in e]
    assert steps == [0, 2, 4, 6]
    assert not run.checkpoints.exists()
    before = (folder / "adapter_model.safetensors").stat().st_mtime_ns
    capsys.readouterr()
    cooler = replace(run.show, generation=replace(run.show.generation, temperature=0.31))
    finetune(replace(run, show=cooler))
    assert "up to date" in capsys.readouterr().out
    assert (folder / "adapter_model.safetensors").stat().st_mtime_ns == before
    assert read_manifest(folder) == replace(manifest, show=cooler)


def test_killed_and_run_again_ends_as_if_nothing_had_happened(
    run: Run, base: Workspace, tmp_path: Path
) -> None:
    undisturbed = finetune(run)
    other = Workspace(tmp_path / "other")
    shutil.copytree(base.root, other.root)
    first = process(other)
    seal = other.checkpoints("tiny") / "checkpoint-2" / "sealed.json"
    wait_for(seal.exists, first)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert not other.adapter("tiny").exists()
    second = process(other)
    output, _ = second.communicate()
    assert second.returncode == 0, output
    assert "continuing from checkpoint-" in output
    disturbed = other.adapter("tiny")
    assert numbers(disturbed) == numbers(undisturbed)
    weights = "adapter_model.safetensors"
    assert (disturbed / weights).read_bytes() == (undisturbed / weights).read_bytes()


def test_an_interrupted_run_saves_its_step_and_continues_from_it(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    signals = iter([signal.SIGINT])

    def interrupt_once() -> None:
        for number in signals:
            os.kill(os.getpid(), number)

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        finetune(replace(run, publish=interrupt_once))
    assert signal.getsignal(signal.SIGINT) is handler
    output = capsys.readouterr()
    assert "Ctrl-C again stops at once" in output.err
    assert "interrupted after step 3 of 6, which is saved; the same command" in output.out
    finetune(run)
    assert "continuing from checkpoint-3" in capsys.readouterr().out


def numbers(folder: Path) -> list[dict[str, float]]:
    """A run's history without what differs from run to run: time and memory."""
    measured = {"tokens_per_second", "memory_gib", "seconds"}
    taken = ("_runtime", "_per_second", "_seconds")
    return [
        {k: v for k, v in entry.items() if k not in measured and not k.endswith(taken)}
        for entry in read_json(folder / "history.json")
    ]


def wait_for(condition: object, alive: "subprocess.Popen[str]") -> None:
    assert callable(condition)
    deadline = time.monotonic() + 120
    while not condition():
        assert alive.poll() is None, alive.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_truncated_checkpoint_is_skipped_and_named(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped = replace(run, publish=Stop(2))
    with pytest.raises(KeyboardInterrupt):
        finetune(stopped)
    folder = run.checkpoints
    newest = max(folder.glob("checkpoint-*"), key=lambda p: int(p.name.split("-")[1]))
    os.truncate(newest / "optimizer.pt", 100)
    capsys.readouterr()
    finetune(run)
    output = capsys.readouterr()
    assert f"{newest}: not whole, skipped" in output.err
    assert "continuing from checkpoint-2" in output.out


class Stop:
    """Interrupts a training once it has published so many checkpoints."""

    def __init__(self, saves: int) -> None:
        self.left = saves

    def __call__(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def test_two_trainings_of_one_show_do_not_meet(run: Run) -> None:
    with (
        locked_folder(run.checkpoints, "busy"),
        pytest.raises(UserError, match="another training of 'tiny' is running"),
    ):
        finetune(run)


def test_without_data(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such data; run 'python -m data_prep"):
        resolve_run(run.show, "pocket", run.config, Workspace(tmp_path / "empty"))


def test_a_base_that_cannot_be_had(run: Run, place: Workspace) -> None:
    with pytest.raises(UserError, match="'no/such-model' cannot be loaded"):
        finetune(resolve_run(run.show, "no/such-model", run.config, place))
    assert not run.adapter.exists()


def test_without_4bit_kernels_it_is_plain_lora(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("train.base_model.loading.supports_4bit", lambda: False)
    folder = finetune(replace(run, config=replace(run.config, max_steps=2)))
    assert "plain LoRA instead" in capsys.readouterr().out
    assert read_manifest(folder).config["quantized"] is False


@pytest.fixture
def small_disk(place: Workspace) -> Iterator[Path]:
    """The checkpoints' folder on a file system of 9 MB: one checkpoint fits, a second does not."""
    folder = place.checkpoints("tiny")
    folder.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=9m", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_fills_up_during_a_checkpoint(run: Run, small_disk: Path) -> None:
    with pytest.raises(UserError, match="the disk is full"):
        finetune(run)
    assert not run.adapter.exists()
    assert list(small_disk.glob("checkpoint-*"))


def test_evaluating_does_not_break_gradients(base: Workspace) -> None:
    """On some CPUs bitsandbytes repacks weights at the first evaluation, without a backward."""
    import torch
    from peft import LoraConfig, get_peft_model

    def gradient(*, evaluated: bool) -> "torch.Tensor":
        torch.manual_seed(0)
        loaded = load_base("pocket-tiny", base.find_base("pocket-tiny"), quantize="nf4")
        assert loaded.quantized
        model = get_peft_model(
            loaded.model, LoraConfig(target_modules="all-linear", init_lora_weights=False)
        )
        ids = torch.arange(5, 69).reshape(1, 64)
        if evaluated:
            model.eval()
            with torch.no_grad():
                model(input_ids=ids)
        model.train()
        model(input_ids=ids, labels=ids).loss.backward()
        weights = dict(model.named_parameters())
        name = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.default.weight"
        found = weights[name].grad
        assert found is not None
        return found

    fresh, later = gradient(evaluated=False), gradient(evaluated=True)
    assert fresh.abs().sum() > 0
    torch.testing.assert_close(later, fresh)


def test_labels_cover_the_completion_and_its_end_alone(run: Run) -> None:
    """Token by token: prompt and padding are ignored, the completion and its stop are learned."""
    training, held_out = read_examples(run.data)
    loaded = load_base(run.base, run.base_source, quantize="nf4")
    trainer = build_trainer(run, run.config, loaded, training[:2], held_out[:1])
    batch = next(iter(trainer.get_train_dataloader()))
    learned = {
        loaded.tokenizer.decode(ids[labels != -100])
        for ids, labels in zip(batch["input_ids"], batch["labels"], strict=True)
    }
    expected = {answer(example) + "<|eot_id|>" for example in training[:2]}
    assert learned == expected


def answer(example: ChatExample) -> str:
    return example["completion"][0]["content"]


def test_a_damaged_data_file(run: Run) -> None:
    path = run.data / "train.jsonl"
    path.write_text(json.dumps({"prompt": []}) + "\n")
    with pytest.raises(UserError, match="holds no examples"):
        finetune(run)


def test_adapters_are_trained_in_float32(run: Run) -> None:
    """TRL leaves them in bf16, which rounds the reference's small updates of A away."""
    import torch

    training, held_out = read_examples(run.data)
    loaded = load_base(run.base, run.base_source, quantize="nf4")
    trainer = build_trainer(run, run.config, loaded, training[:2], held_out[:1])
    assert trainer.model is not None
    trained = [p.dtype for p in trainer.model.parameters() if p.requires_grad]
    assert trained
    assert set(trained) == {torch.float32}
