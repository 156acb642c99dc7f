import subprocess
import sys


def test_an_interrupted_run_ends_as_an_uninterrupted_one() -> None:
    """On a CPU to the last bit: weights, random numbers, learning rate, count of tokens."""
    command = [sys.executable, "-m", "benchmarks.train.resume", "fused", "--smoke"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fused  same" in done.stdout
    assert "adapters 0.00e+00 apart" in done.stdout


def test_a_way_that_is_unknown_is_named() -> None:
    command = [sys.executable, "-m", "benchmarks.train.resume", "slow", "--smoke"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "no way 'slow'; there are plain, fused, fp16" in done.stderr
