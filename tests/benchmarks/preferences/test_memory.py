import json
import subprocess
import sys

import pytest


def test_smoke_tunes_a_tiny_model_from_its_own_copy() -> None:
    command = [sys.executable, "-m", "benchmarks.preferences.memory", "--smoke"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["first_loss"] == pytest.approx(0.6931, abs=0.001)
    assert figures["steps"] == 1
