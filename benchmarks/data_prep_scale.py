"""Time and memory of `python -m data_prep` on a large source, without token statistics.

Usage: `python -m benchmarks.data_prep_scale table` (100 MB of CSV) or `... fountain` (a million
lines); `--smoke` takes a thousandth of it. The words are drawn with a seed.

The memory is the most that all processes have together, read twice a second; what they share
counts once. The CPU seconds are those of all processes.
"""

import argparse
import csv
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

_TABLE_BYTES = 100_000_000
_FOUNTAIN_LINES = 1_000_000
_FOUNTAIN_FILES = 200
_SPEECHES = 300  # in an episode
_INTERVAL = 0.5  # seconds between two looks at the memory
_NAMES = [f"{first}{last}" for first in ("ANN", "BOB", "CARL", "DORA") for last in ("", " LEE")]
_WORDS = [
    "the", "of", "and", "to", "in", "is", "you", "that", "it", "he", "was", "for", "on", "are",
    "as", "with", "his", "they", "at", "be",
]  # fmt: skip

_SHOW = """
name = "scale"
title = "Scale"
cast = [{name = "ANN"}]

[corpus]
source = "source"
licence = "CC0-1.0"
"""


def main() -> None:
    """Make a source, run the command on it and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["table", "fountain"])
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    part = 1000 if options.smoke else 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "source"
        source.mkdir()
        if options.kind == "table":
            _write_table(source / "lines.csv", _TABLE_BYTES // part)
        else:
            _write_fountain(source, _FOUNTAIN_LINES // part)
        size = sum(path.stat().st_size for path in source.iterdir())
        (folder / "show.toml").write_text(_SHOW, encoding="utf-8")
        command = ["--show", f"{folder}/show.toml", "--tokenizer", "none", "--out", f"{folder}/o"]
        started = time.perf_counter()
        peak = _run([sys.executable, "-m", "data_prep", *command])
        seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"data_prep, {options.kind} of {size / 1e6:.1f} MB: {seconds:.1f} s,"
        f" {used.ru_utime + used.ru_stime:.1f} s of CPU, {peak / 2**20:,.0f} MiB"
    )


def _run(command: Sequence[str]) -> int:
    """Run a command; return the peak memory of its processes in bytes."""
    import psutil

    process = psutil.Popen(command, stdout=subprocess.DEVNULL)
    peak, status = 0, None
    while status is None:
        with suppress(psutil.Error):  # one of them has just ended
            family = [process, *process.children(recursive=True)]
            peak = max(peak, sum(each.memory_full_info().pss for each in family))
        with suppress(psutil.TimeoutExpired):
            status = process.wait(_INTERVAL)
    if status:
        raise subprocess.CalledProcessError(status, command)
    return peak


def _write_table(path: Path, size: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("Character", "Dialogue", "Season", "Episode"))
        for number, (name, text) in enumerate(_draw_speeches()):
            episode = number // _SPEECHES
            writer.writerow((name, text, episode // 20, episode % 20))
            if number % 1000 == 0 and file.tell() >= size:
                return


def _write_fountain(folder: Path, lines: int) -> None:
    speeches = _draw_speeches()
    for number in range(_FOUNTAIN_FILES):
        with (folder / f"{number}.fountain").open("w", encoding="utf-8") as file:
            file.write("INT. OFFICE - DAY\n")
            for _ in range(max(lines // _FOUNTAIN_FILES // 3, 20)):
                name, text = next(speeches)
                file.write(f"\n{name}\n{text}\n")


def _draw_speeches() -> Iterator[tuple[str, str]]:
    draw = random.Random(1)  # noqa: S311 - reproducible, not secret
    while True:
        yield draw.choice(_NAMES), " ".join(draw.choices(_WORDS, k=draw.randint(4, 36)))


if __name__ == "__main__":
    main()
