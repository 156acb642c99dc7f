"""Training configurations that the benchmarks compare, and the set-up of a single run."""

import json
import os
import random
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class ThroughputSetup:
    """Configuration of one training benchmark.

    `cap` limits the GPU memory that torch can allocate, in GiB, to imitate a smaller card.
    """

    micro_batch: int = 16
    batch: int = 16
    rank: int = 32
    cap: float | None = 22.0
    dropout: float = 0.1
    padding_free: bool = True
    fused: bool = True
    liger: bool = False
    full_logits: bool = False
    checkpointing: bool = False


SETUPS = {
    "reference": ThroughputSetup(
        4, padding_free=False, fused=False, full_logits=True, checkpointing=True
    ),
    "trl": ThroughputSetup(4, padding_free=False, fused=False, checkpointing=True),
    "padding-free": ThroughputSetup(fused=False, checkpointing=True),
    "liger": ThroughputSetup(fused=False, liger=True, checkpointing=True),
    "fused": ThroughputSetup(),
    "fused-no-dropout": ThroughputSetup(dropout=0.0),
    "fused-uncapped": ThroughputSetup(cap=None),
    "fused-15": ThroughputSetup(cap=15.0),
    "fused-8": ThroughputSetup(micro_batch=4, cap=8.0),
}


def smoke_lengths() -> list[list[int]]:
    """Make up short token counts for a smoke test on a CPU."""
    draw = random.Random(0)  # noqa: S311
    return [[n, n // 2] for n in (draw.randint(10, 30) for _ in range(64))]


def limit_memory(setup: ThroughputSetup) -> None:
    """Limit the GPU memory that torch can allocate to the configuration's cap."""
    import torch

    if setup.cap:
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(setup.cap * 2**30 / total)


def measure_in_subprocess(module: str, name: str, lengths: Path) -> dict[str, Any]:
    """Run a benchmark module for one configuration in a process of its own.

    Returns:
        The module's figures, or `{"error": ...}` if it failed.
    """
    environment = os.environ | {"PYTORCH_ALLOC_CONF": "expandable_segments:True"}
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "figures.json"
        command = [sys.executable, "-m", module, name, "--here", "--lengths", str(lengths)]
        done = subprocess.run(
            [*command, "--report", str(output)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            print(done.stderr[-2000:], file=sys.stderr)
            memory = "OutOfMemoryError" in done.stderr
            return {"error": "out of memory" if memory else "failed"}
        return dict(json.loads(output.read_text())[name])
