"""The code revision and the library versions that made an adapter."""

import os
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

VARIABLE = "NOTHING_GPT_GIT_REVISION"
"""Environment variable with the commit, for containers that have the code but no git."""

_PACKAGES = ("torch", "transformers", "peft", "trl", "bitsandbytes", "accelerate", "datasets")


def git_revision() -> str:
    """Return the commit of this checkout, with `-modified` if tracked files differ from it.

    Outside git it is the value of the environment variable, or "unknown".
    """
    if stated := os.environ.get(VARIABLE):
        return stated
    root = Path(__file__).resolve().parent

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True)
        except FileNotFoundError:
            return None
        return done.stdout.decode().strip() if done.returncode == 0 else None

    revision = git("rev-parse", "HEAD")
    if revision is None:
        return "unknown"
    return revision + ("-modified" if git("status", "--porcelain", "-uno") else "")


def package_versions() -> dict[str, str]:
    """Return the versions of the libraries that affect training."""
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions
