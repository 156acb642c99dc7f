import json
import subprocess
import sys
from pathlib import Path

import pytest


def test_smoke_runs_every_step_of_the_gpu_benchmark(tmp_path: Path) -> None:
    """The plain and the fused path, at the size of a test; the first loss is the same."""
    report = tmp_path / "figures.json"
    command = [sys.executable, "-m", "benchmarks.train.throughput", "trl", "fused"]
    done = subprocess.run(
        [*command, "--smoke", "--report", str(report)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "tokens/s" in done.stdout
    rows = json.loads(report.read_text())
    assert rows["fused"]["loss"] == pytest.approx(rows["trl"]["loss"], rel=1e-4)
    assert rows["fused"]["tokens_per_second"] > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["nonsense", "--smoke"], "no configuration 'nonsense'"),
        (["fused"], "--lengths FILE is missing"),
    ],
)
def test_mistakes_are_named(options: list[str], message: str) -> None:
    command = [sys.executable, "-m", "benchmarks.train.throughput", *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert message in done.stderr
