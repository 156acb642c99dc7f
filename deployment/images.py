"""The images of the Modal apps."""

from collections.abc import Sequence
from pathlib import Path

import modal

from deployment.facts import CONSTRAINTS, MOUNT, PROJECT, PYTHON, REMOTE, ROOT, VLLM_CONSTRAINTS
from deployment.requirements import read_requirements
from nothing_gpt.workspace import VARIABLE, Workspace


def build_image(*groups: str) -> modal.Image:
    """Build an image with dependency groups; only the packages of constraints.txt get in.

    `add_code` adds code as the last layer, so that a change of code rebuilds nothing.
    """
    return _install(groups, CONSTRAINTS).env(environment())


def build_vllm_image(variables: dict[str, str]) -> modal.Image:
    """Build vLLM's image.

    Args:
        variables: Environment variables in addition to those of every container.
    """
    return _install(["vllm"], VLLM_CONSTRAINTS).env(environment() | variables)


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


def _install(groups: Sequence[str], constraints: tuple[str, str]) -> modal.Image:
    image = _base().add_local_file(*constraints, copy=True)
    packages = dict.fromkeys(pin for group in groups for pin in read_requirements(group))
    options = f"--require-hashes --constraint {constraints[1]}"
    return image.pip_install(*packages, extra_options=options)


def _base() -> modal.Image:
    return modal.Image.debian_slim(python_version=PYTHON)
