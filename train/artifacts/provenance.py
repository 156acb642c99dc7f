"""Where an adapter came from: the code's revision and the versions it ran with."""

import os
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

VARIABLE = "NOTHING_GPT_GIT_REVISION"
"""Environment variable that tells the commit where there is code and no git."""

_PACKAGES = ("torch", "transformers", "peft", "trl", "bitsandbytes", "accelerate", "datasets")


def git_revision() -> str:
    """Return this checkout's commit, marked if files differ from it; "unknown" outside git."""
    if told := os.environ.get(VARIABLE):
        return told
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
    """Return the versions of the libraries that decide what training does."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
