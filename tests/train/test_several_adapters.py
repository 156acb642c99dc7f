"""Several adapters of one show: names of their own, and none replaced without a word."""

import subprocess
import sys
from pathlib import Path

import pytest

from nothing_gpt.adapter.manifest import list_adapters, read_manifest
from nothing_gpt.show import Show
from nothing_gpt.workspace import Workspace
from tests.train.base_model.tiny_gguf import write_gguf


@pytest.fixture
def base(tmp_path: Path) -> Path:
    write_gguf(tmp_path / "tiny-llama.gguf", context=4096)
    return tmp_path / "tiny-llama.gguf"


@pytest.fixture
def show_file(prepared: tuple[Show, Workspace]) -> Path:
    return prepared[1].root.parent / "show.toml"


def run(workspace: Workspace, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "train", *arguments, "--workspace", str(workspace.root)]
    return subprocess.run(command, capture_output=True, text=True)


def test_adapters_are_named_listed_repeated_and_kept(
    workspace: Workspace, base: Path, show_file: Path
) -> None:
    def train(*options: str) -> str:
        done = run(workspace, "--show", str(show_file), "--profile", "laptop", *options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    short = ("--base", str(base), "--max-steps", "3", "--eval-examples", "2")
    printed = train(*short, "--set", "rank=4", "--set", "alpha=4")
    assert "configuration: rank=4 alpha=4 dropout=0.0 " in printed
    first = read_manifest(workspace.adapter("tiny"))
    assert (first.rank, first.config["max_steps"]) == (4, 3)

    repeated = ("--config", str(workspace.adapter("tiny") / "config.toml"))
    assert "up to date" in train(*repeated)
    train(*repeated, "--name", "tiny-copy")
    copy = read_manifest(workspace.adapter("tiny-copy"))
    assert (copy.inputs, copy.metrics) == (first.inputs, first.metrics)

    targets = ("--target-modules", "q_proj,v_proj", "--set", "fused=false")
    printed = train(*short, "--set", "rank=2", *targets)
    kept = workspace.root / "replaced" / "tiny-1"
    assert f"keeps it in {kept}" in printed
    assert read_manifest(kept) == first
    assert read_manifest(workspace.adapter("tiny")).rank == 2

    listed = run(workspace, "list").stdout.splitlines()
    assert listed[0].startswith("adapter ")
    assert {line.split()[0] for line in listed[1:]} == set(list_adapters(workspace.adapters))
    assert all("tiny-llama" in line for line in listed[1:])


def test_a_sweep_keeps_what_fails_and_does_what_is_missing(
    workspace: Workspace, base: Path, show_file: Path
) -> None:
    def sweep(rates: str) -> subprocess.CompletedProcess[str]:
        options = ("--base", str(base), "--max-steps", "2", "--eval-examples", "2")
        swept = ("--sweep", f"learning_rate={rates}", "--sweep=rank=2")
        return run(workspace, "--show", str(show_file), "--profile", "laptop", *options, *swept)

    done = sweep("1e-3,2")
    assert done.returncode == 1
    assert "learning_rate = 2: input should be less than or equal to 1" in done.stderr
    assert "failed: tiny-learning_rate-2-rank-2; the same command" in done.stderr
    assert list(list_adapters(workspace.adapters)) == ["tiny-learning_rate-1e-3-rank-2"]
    done = sweep("1e-3,2e-3")
    assert done.returncode == 0, done.stderr
    assert "'tiny-learning_rate-1e-3-rank-2' is up to date" in done.stdout
    table = done.stdout[done.stdout.index("adapter  ") :]
    assert [line.split()[5] for line in table.splitlines()[1:3]] == ["0.001", "0.002"]
    assert workspace.history("tiny-sweep").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--name", "../x"], "--name '../x': use small letters, digits, '-', '_' and '.'"),
        (["--set", "rnk=4"], "--set: no setting 'rnk'; did you mean 'rank'?"),
        (["--target-modules", "w_proj"], "target_modules: this base has no linear layer 'w_proj'"),
        (["--target-modules", "q_proj"], "target_modules: the fast path trains all linear layers"),
    ],
)
def test_wrong_options_are_refused_in_words(
    workspace: Workspace, base: Path, show_file: Path, options: list[str], message: str
) -> None:
    arguments = ("--show", str(show_file), "--base", str(base), "--profile", "laptop", *options)
    done = run(workspace, *arguments)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list_adapters(workspace.adapters)


def test_an_empty_list_says_how_to_make_an_adapter(tmp_path: Path) -> None:
    done = run(Workspace(tmp_path), "list")
    assert done.returncode == 1
    assert "no adapter; 'python -m train' makes one" in done.stderr
