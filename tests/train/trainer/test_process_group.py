"""Two real processes on the CPU, started by torchrun, get the result of one."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nothing_gpt.adapter.manifest import read_manifest
from nothing_gpt.errors import UserError
from nothing_gpt.files import read_json
from nothing_gpt.workspace import Workspace
from tests.train.conftest import BRIEF, TOML
from tests.train.test_finetuning import wait_for
from train.config.profiles import load_profile
from train.config.run import Run
from train.config.training_config import TrainingConfig
from train.finetuning import finetune
from train.trainer.process_group import ProcessGroup

# Four examples a step, the last step three; the held-out ones do not fill their last batches.
ALONE = replace(
    BRIEF, dropout=0.0, max_steps=None, max_eval_examples=None, train_batch=2, accumulation=2
)
SHARED = replace(ALONE, fused=True, eval_interval=4)
SCRIPT = """
import sys
from pathlib import Path
from nothing_gpt.errors import reported_errors
from nothing_gpt.show import load_show
from nothing_gpt.workspace import Workspace
from tests.train.conftest import RECIPE
from tests.train.trainer.test_process_group import SHARED
from train.config.run import resolve_run
from train.finetuning import finetune
with reported_errors():
    show, place = load_show(sys.argv[1]), Workspace(Path(sys.argv[2]))
    finetune(resolve_run(show, "pocket", SHARED, place, pretraining=RECIPE))
"""


def start(workspace: Path, folder: Path) -> "subprocess.Popen[str]":
    (folder / "show.toml").write_text(TOML)
    (folder / "script.py").write_text(SCRIPT)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    own = [str(folder / "script.py"), str(folder / "show.toml"), str(workspace)]
    return subprocess.Popen(
        [*torchrun, "--nproc-per-node", "2", *own],
        env=os.environ | {"PYTHONPATH": str(Path.cwd()), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def kill(group: "subprocess.Popen[str]") -> None:
    """Kill torchrun and its processes at once, as the end of a container does."""
    children = Path(f"/proc/{group.pid}/task/{group.pid}/children").read_text().split()
    assert len(children) == 2
    for process in [group.pid, *map(int, children)]:
        os.kill(process, signal.SIGKILL)
    group.communicate()


def test_two_processes_learn_what_one_learns_also_when_killed(
    run: Run, place: Workspace, tmp_path: Path
) -> None:
    alone = read_json(finetune(replace(run, config=ALONE)) / "history.json")
    adapter = run.adapter
    adapter.rename(tmp_path / "alone")
    first = start(place.root, tmp_path)
    wait_for((run.checkpoints / "checkpoint-4" / "sealed.json").exists, first)
    kill(first)
    assert not adapter.exists()
    second = start(place.root, tmp_path)
    output, _ = second.communicate()
    assert second.returncode == 0, output
    assert output.count("continuing from checkpoint-") == 1
    assert output.count("held-out loss") == 1
    manifest = read_manifest(adapter)
    assert manifest.metrics["steps"] == alone[-1]["step"] == 10
    assert manifest.config["train_batch"] * manifest.config["accumulation"] == 4
    shared = read_json(adapter / "history.json")
    assert course(shared, "loss") == pytest.approx(course(alone, "loss"), rel=1e-4)
    assert course(shared, "grad_norm") == pytest.approx(course(alone, "grad_norm"), rel=1e-3)
    evaluated = course(alone, "eval_loss")
    assert course(shared, "eval_loss") == pytest.approx(
        {step: evaluated[step] for step in (0, 4, 8, 10)}, rel=1e-4
    )


def course(entries: list[dict[str, float]], key: str) -> dict[float, float]:
    return {entry["step"]: entry[key] for entry in entries if key in entry}


@given(
    size=st.integers(1, 64),
    train_batch=st.sampled_from([1, 2, 3, 4, 8, 16]),
    accumulation=st.integers(1, 16),
)
def test_a_step_keeps_its_examples(size: int, train_batch: int, accumulation: int) -> None:
    config = TrainingConfig(train_batch=train_batch, accumulation=accumulation)
    try:
        share = ProcessGroup(0, size).split_step(config)
    except UserError:
        assert config.effective_batch % size
    else:
        assert share.effective_batch * size == config.effective_batch
        assert share.train_batch <= train_batch


def test_how_the_profiles_are_shared() -> None:
    assert ProcessGroup(0, 1).split_step(TrainingConfig()) == TrainingConfig()
    four = ProcessGroup(3, 4).split_step(TrainingConfig())
    assert (four.train_batch, four.accumulation, four.eval_batch) == (4, 1, 2)
    assert ProcessGroup(1, 2).split_step(load_profile("fast")).train_batch == 8
    with pytest.raises(UserError, match=r"16 examples .* 3 processes; use one of 1, 2, 4, 8, 16"):
        ProcessGroup(0, 3).split_step(TrainingConfig())
