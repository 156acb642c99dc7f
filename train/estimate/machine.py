"""The machine that a run is on, and what its time costs."""

import os
import platform
import re
from dataclasses import dataclass

from nothing_gpt.gpus import GPUS, Gpu


@dataclass(frozen=True, slots=True)
class Machine:
    """`name` is the GPU's, or the processor's architecture; `count` is of GPUs or of cores."""

    name: str
    count: int
    gpu: bool

    def __str__(self) -> str:
        return f"{self.count} x {self.name}" if self.gpu else f"{self.count} cores ({self.name})"

    def cost(self, seconds: float) -> float | None:
        """Return $ for so much time at the plan's prices, None where there is no price."""
        priced = find_priced(self.name) if self.gpu else None
        return priced.dollars * self.count * seconds / 3600 if priced else None


def find_machine(processes: int = 1) -> Machine:
    """Look at the machine at hand.

    Args:
        processes: How many train together, each on a GPU of its own if there are GPUs.
    """
    import torch

    if torch.cuda.is_available():
        return Machine(torch.cuda.get_device_name(), processes, gpu=True)
    return Machine(platform.machine(), len(os.sched_getaffinity(0)), gpu=False)


def find_priced(device: str) -> Gpu | None:
    """Find the priced GPU that a driver's name means, such as "NVIDIA A100-SXM4-80GB"."""
    words = set(re.split(r"[^A-Z0-9]+", device.upper()))
    for name, gpu in GPUS.items():
        model, *memory = name.split("-")
        # Modal's A10 is the card whose driver calls it A10G.
        if words & {model, f"{model}G"} and words.issuperset(memory):
            return gpu
    return None
