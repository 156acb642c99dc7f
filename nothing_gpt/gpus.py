"""The kinds of GPU that a run can be planned for: memory, speed and price."""

from dataclasses import dataclass

from nothing_gpt.errors import UserError


@dataclass(frozen=True, slots=True)
class Gpu:
    """A kind of GPU: memory in GB, arithmetic in 16-bit TFLOPS, list price in $ an hour.

    `share` of the arithmetic is what large products reach. An L4's is known (57 TFLOPS) and an
    H200's measured (790 of 989); of the others it is assumed to be that of their like.
    """

    name: str
    memory: int
    tflops: float
    dollars: float
    share: float
    bf16: bool = True

    @property
    def sustained(self) -> float:
        """TFLOPS of large products."""
        return self.tflops * self.share

    @property
    def precision(self) -> str:
        """The type in which it computes."""
        return "bf16" if self.bf16 else "fp16"


GPUS = {
    gpu.name: gpu
    for gpu in (
        Gpu("T4", 16, 65, 0.59, 0.47, bf16=False),
        Gpu("L4", 24, 121, 0.80, 0.47),
        Gpu("A10", 24, 125, 1.10, 0.47),
        Gpu("L40S", 48, 362, 1.95, 0.47),
        Gpu("A100-80GB", 80, 312, 2.50, 0.8),
        Gpu("H100", 80, 989, 3.95, 0.8),
    )
}


MAX_GPUS = 8
"""How many GPUs Modal puts into one container at most."""


def find_gpus(name: str) -> tuple[Gpu, int]:
    """Find a kind of GPU by Modal's name for it, as `L4` or `L4:4`, and how many are meant.

    Raises:
        UserError: there is none of that name, or no container has so many.
    """
    kind, colon, count = name.upper().partition(":")
    if kind not in GPUS:
        raise UserError(f"no GPU '{name}'; there are: {', '.join(GPUS)}")
    if colon and not (count.isdecimal() and 1 <= int(count) <= MAX_GPUS):
        raise UserError(f"GPU '{name}': say how many from 1 to {MAX_GPUS}, as in {kind}:4")
    return GPUS[kind], int(count or 1)


def find_gpu(name: str) -> Gpu:
    """Find a kind of GPU of which one is used.

    Raises:
        UserError: there is none of that name, or several are asked for.
    """
    gpu, count = find_gpus(name)
    if count > 1:
        raise UserError(f"GPU '{name}': one is used here; say {gpu.name}")
    return gpu
