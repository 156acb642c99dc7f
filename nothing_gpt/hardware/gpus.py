"""The kinds of GPU that a run can be planned for, with memory, speed and price."""

from dataclasses import dataclass

from nothing_gpt.errors import UserError


@dataclass(frozen=True, slots=True)
class Gpu:
    """A kind of GPU.

    Attributes:
        name: Modal's name for it.
        memory: In GB.
        tflops: Peak 16-bit TFLOPS.
        dollars: Modal's list price an hour.
        share: Fraction of the peak that large matrix products reach. Known for an L4 (57 TFLOPS),
            measured on an H200 (790 of 989); assumed for the others from those two.
        bf16: Whether it computes in bf16.
    """

    name: str
    memory: int
    tflops: float
    dollars: float
    share: float
    bf16: bool = True

    @property
    def sustained(self) -> float:
        """TFLOPS that large matrix products reach."""
        return self.tflops * self.share

    @property
    def precision(self) -> str:
        """The 16-bit type that it computes in."""
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
"""Maximum number of GPUs in one container on Modal."""


def find_gpus(name: str) -> tuple[Gpu, int]:
    """Find a kind of GPU and a number by Modal's notation, such as `L4` or `L4:4`.

    Raises:
        UserError: there is no such kind, or no container has that many.
    """
    kind, colon, count = name.upper().partition(":")
    if kind not in GPUS:
        raise UserError(f"no GPU '{name}'; there are: {', '.join(GPUS)}")
    if colon and not (count.isdecimal() and 1 <= int(count) <= MAX_GPUS):
        raise UserError(f"GPU '{name}': say how many from 1 to {MAX_GPUS}, as in {kind}:4")
    return GPUS[kind], int(count or 1)


def find_gpu(name: str) -> Gpu:
    """Find a kind of GPU for a container that uses one.

    Raises:
        UserError: there is no such kind, or the name asks for several.
    """
    gpu, count = find_gpus(name)
    if count > 1:
        raise UserError(f"GPU '{name}': one is used here; say {gpu.name}")
    return gpu
