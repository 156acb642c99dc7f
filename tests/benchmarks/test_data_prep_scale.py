import subprocess
import sys

import pytest

from nothing_gpt.show import SHOWS


@pytest.mark.parametrize("kind", ["table", "fountain"])
def test_a_small_source_is_measured(kind: str) -> None:
    command = [sys.executable, "-m", "benchmarks.data_prep_scale", kind, "--smoke"]
    done = subprocess.run(command, cwd=SHOWS.parent, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"data_prep, {kind} of 0.")
    assert done.stdout.endswith(" MiB\n")
