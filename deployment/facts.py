"""Names, sizes and versions of the deployment on Modal, each in this one place."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from nothing_gpt.errors import UserError
from nothing_gpt.workspace import VARIABLE, Workspace

ROOT = Path(__file__).resolve().parent.parent
"""The root of the checkout; in a container, the folder that holds our packages."""

DATA_PREP = "nothing-gpt-data-prep"
TRAIN = "nothing-gpt-train"
SERVE = "nothing-gpt-serve"
DEMO = "nothing-gpt-demo"

VOLUME = "nothing-gpt"
VOLUME_VERSION = 2
MOUNT = "/volume"
"""Where the volume lies in every container: the workspace that the stages share."""

REMOTE = "/root"
"""Where Modal puts local packages; it is on the containers' path."""

PYTHON = "3.11"

PROJECT = (str(ROOT / "pyproject.toml"), f"{REMOTE}/pyproject.toml")
"""Here, and in a container, where it is read again."""

CONSTRAINTS = (str(ROOT / "constraints.txt"), f"{REMOTE}/constraints.txt")
PIP_OPTIONS = f"--constraint {CONSTRAINTS[1]}"
"""Holds what the groups bring along to the versions that are installed here."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A secret on Modal, and the key that must be in it."""

    name: str
    key: str

    @property
    def command(self) -> str:
        """The command that makes the secret."""
        return f"modal secret create {self.name} {self.key}=..."


HUGGING_FACE = Credentials("huggingface", "HF_TOKEN")
WANDB = Credentials("wandb", "WANDB_API_KEY")
KAGGLE = Credentials("kaggle", "KAGGLE_API_TOKEN")
API_KEY = Credentials("nothing-gpt-api-key", "NOTHING_GPT_API_KEY")


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


def read_requirements(group: str) -> list[str]:
    """Read a dependency group of pyproject.toml, with the groups that it includes."""
    groups = tomllib.loads(Path(PROJECT[0]).read_text(encoding="utf-8"))["dependency-groups"]

    def resolve(name: str) -> list[str]:
        found: list[str] = []
        for item in groups[name]:
            found += [item] if isinstance(item, str) else resolve(item["include-group"])
        return found

    return list(dict.fromkeys(resolve(group)))


def environment() -> dict[str, str]:
    """Give the variables of every container: where the workspace is, and what outlives it.

    Downloads and compiled code are kept on the volume, so that only a first start is slow.
    """
    workspace = Workspace(Path(MOUNT))
    return {
        VARIABLE: MOUNT,
        "PYTHONUNBUFFERED": "1",
        "HF_HOME": str(workspace.cache("huggingface")),
        "KAGGLEHUB_CACHE": str(workspace.cache("kagglehub")),
        "TIKTOKEN_CACHE_DIR": str(workspace.cache("tiktoken")),
        "VLLM_CACHE_ROOT": str(workspace.cache("vllm")),
        "TRITON_CACHE_DIR": str(workspace.cache("triton")),
    }
