"""The files of a new show in the workspace, and the commands that make them."""

import re
import shutil
import sys
from itertools import count
from pathlib import Path

from nothing_gpt.controller.uploads import Uploads
from nothing_gpt.show import name_source
from nothing_gpt.workspace import Workspace

_MAX_NAME = 40


def choose_name(workspace: Workspace, words: str) -> str:
    """Choose a name after some words that no show of the workspace has."""
    first = name_source(re.sub("[./:]", " ", words)[:_MAX_NAME])
    for number in count(1):
        name = first if number == 1 else f"{first}_{number}"
        made = (workspace.draft, workspace.source, workspace.data, workspace.adapter)
        if not any(find(name).exists() for find in made):
            return name
    raise AssertionError("the numbers do not end")


def list_commands(
    workspace: Workspace, name: str, uploads: Uploads, draft: Path, base: str, *stages: str
) -> list[list[str]]:
    """List the commands of stages, with the one that drafts the show file if there is none.

    Args:
        draft: Where what was found in the scripts is written.
        base: The option of train.
    """
    show, commands = workspace.draft(name), []
    if not show.exists():
        options = ("--name", name, "--out", show, "--json", draft)
        commands.append(_python("data_prep", "draft", uploads.source, *options))
    own = {"data_prep": ("--tokenizer", "none"), "train": ("--base", base)}
    return commands + [_python(stage, "--show", show, *own[stage]) for stage in stages]


def _python(module: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", module, *map(str, arguments)]


def delete_untrained(workspace: Workspace, name: str) -> None:
    """Delete everything of a show, unless it was trained."""
    if workspace.adapter(name).exists():
        return
    workspace.draft(name).unlink(missing_ok=True)
    for find in (workspace.source, workspace.data, workspace.base, workspace.checkpoints):
        shutil.rmtree(find(name), ignore_errors=True)
