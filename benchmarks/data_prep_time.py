"""Time of `python -m data_prep` without token statistics, the best of five runs.

Usage: `python -m benchmarks.data_prep_time --show seinfeld --source ARCHIVE`.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    """Run the command five times and print one line."""
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "out")
        command = [sys.executable, "-m", "data_prep", "--tokenizer", "none", "--fresh"]
        for _ in range(5):
            started = time.perf_counter()
            subprocess.run(
                [*command, "--out", out, *sys.argv[1:]], check=True, stdout=subprocess.PIPE
            )
            seconds.append(time.perf_counter() - started)
    print(f"data_prep {' '.join(sys.argv[1:])}: {min(seconds):.2f} s (best of {len(seconds)})")


if __name__ == "__main__":
    main()
