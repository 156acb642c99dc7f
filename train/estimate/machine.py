"""The machine of a run, and the price of its time."""

import os
import platform
import re
from dataclasses import dataclass

from nothing_gpt.hardware.gpus import GPUS, Gpu


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine: its GPU and the number of GPUs, or its CPU architecture and number of cores."""

    name: str
    count: int
    gpu: bool

    def __str__(self) -> str:
        return f"{self.count} x {self.name}" if self.gpu else f"{self.count} cores ({self.name})"

    def cost(self, seconds: float) -> float | None:
        """Return the price of so much time in $; None if no price is known."""
        priced = find_priced(self.name) if self.gpu else None
        return priced.dollars * self.count * seconds / 3600 if priced else None


def find_machine(processes: int = 1) -> Machine:
    """Return the current machine.

    Args:
        processes: The number of processes that train together, each on its own GPU.
    """
    import torch

    if torch.cuda.is_available():
        return Machine(torch.cuda.get_device_name(), processes, gpu=True)
    return Machine(platform.machine(), len(os.sched_getaffinity(0)), gpu=False)


def count_memory() -> int:
    """Return the bytes of memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def is_bf16_faster() -> bool:
    """Return whether this CPU multiplies matrices faster in bf16 than in float32, by trying it."""
    import time

    import torch

    def measure(dtype: torch.dtype) -> float:
        left, right = torch.ones(512, 576, dtype=dtype), torch.ones(576, 1536, dtype=dtype)
        times = []
        for _ in range(5):
            start = time.perf_counter()
            left @ right
            times.append(time.perf_counter() - start)
        return min(times)

    return measure(torch.bfloat16) < 0.8 * measure(torch.float32)


def find_priced(device: str) -> Gpu | None:
    """Find the GPU of the price list by its driver name, such as "NVIDIA A100-SXM4-80GB"."""
    words = set(re.split(r"[^A-Z0-9]+", device.upper()))
    for name, gpu in GPUS.items():
        model, *memory = name.split("-")
        # The driver name of Modal's A10 is A10G.
        if words & {model, f"{model}G"} and words.issuperset(memory):
            return gpu
    return None
