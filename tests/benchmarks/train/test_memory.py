import json
import subprocess
import sys
from pathlib import Path


def test_smoke_notes_the_batches_that_make_the_peak(tmp_path: Path) -> None:
    """A plain and a fused configuration, at the size of a test."""
    report = tmp_path / "peaks.json"
    command = [sys.executable, "-m", "benchmarks.train.memory", "trl-4-22", "fused-4-8"]
    done = subprocess.run(
        [*command, "--smoke", "--report", str(report)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(report.read_text())
    assert rows["trl-4-22"]["batches"] == rows["fused-4-8"]["batches"]
    assert all(len(batch) == 4 for batch in rows["fused-4-8"]["batches"])
    assert rows["fused-4-8"]["setup"]["cap"] == 8
    # The plan is for the full-size model: its weights and adapters alone are 2.8 GiB.
    assert 2.8 < rows["trl-4-22"]["planned"] < rows["fused-4-8"]["planned"] < 4
