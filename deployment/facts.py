"""Names, sizes and versions of the deployment on Modal, each in this one place."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

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
