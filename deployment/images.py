"""The images of the Modal apps."""

from pathlib import Path

import modal

from deployment.facts import CONSTRAINTS, MOUNT, PROJECT, PYTHON, REMOTE, ROOT
from deployment.requirements import read_requirements
from nothing_gpt.workspace import VARIABLE, Workspace


def build_image(group: str) -> modal.Image:
    """Build an image with a dependency group; constraints.txt pins the group's own dependencies.

    `add_code` adds code as the last layer, so that a change of code rebuilds nothing.
    """
    return (
        _base()
        .add_local_file(*CONSTRAINTS, copy=True)
        .pip_install(*read_requirements(group), extra_options=f"--constraint {CONSTRAINTS[1]}")
        .env(environment())
    )


def build_vllm_image(variables: dict[str, str]) -> modal.Image:
    """Build vLLM's image. Without constraints: vLLM pins a torch that differs from training's.

    Args:
        variables: Environment variables in addition to those of every container.
    """
    return _base().pip_install(*read_requirements("vllm")).env(environment() | variables)


def build_plain_image() -> modal.Image:
    """Build an image with Python and no packages."""
    return _base().env(environment())


def add_code(image: modal.Image, *packages: str) -> modal.Image:
    """Add our packages and what all stages share; Python files only."""
    return image.add_local_file(*PROJECT).add_local_python_source(
        "nothing_gpt", "deployment", *packages
    )


def add_folder(image: modal.Image, package: str) -> modal.Image:
    """Add a package with all its files, such as style sheets."""
    return image.add_local_dir(ROOT / package, f"{REMOTE}/{package}", ignore=["**/__pycache__"])


def environment() -> dict[str, str]:
    """Return the environment variables of every container.

    Downloads and compiled code are cached on the volume, so that only a first start is slow.
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


def _base() -> modal.Image:
    return modal.Image.debian_slim(python_version=PYTHON)
