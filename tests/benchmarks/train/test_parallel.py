import json
import subprocess
import sys
from pathlib import Path

import pytest


def test_two_processes_have_the_losses_of_one(tmp_path: Path) -> None:
    """The benchmark's own command, at the size of a test: two real processes on the CPU."""
    report = tmp_path / "figures.json"
    command = [sys.executable, "-m", "benchmarks.train.parallel", "weak", "--smoke"]
    options = ["--dropout", "0", "--report", str(report)]
    done = subprocess.run([*command, *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "times one GPU" in done.stdout
    rows = json.loads(report.read_text())
    one, two = rows["weak 1"], rows["weak 2"]
    assert len(one["losses"]) == 3
    assert two["losses"] == pytest.approx(one["losses"], rel=1e-5)
    assert two["tokens_per_second"] > 0


def test_lengths_are_asked_for() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.train.parallel"], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "--lengths FILE is missing" in done.stderr
