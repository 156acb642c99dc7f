"""A sweep: one training run for each combination of settings, one after the other."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from nothing_gpt.errors import UserError
from nothing_gpt.workspace import Workspace

GROUP_VARIABLE = "WANDB_RUN_GROUP"
"""Environment variable with the group of a run at Weights & Biases."""


@dataclass(frozen=True, slots=True)
class SweepRun:
    """One run of a sweep: the adapter's name, and its settings as `--set` takes them."""

    name: str
    settings: tuple[str, ...]


def list_sweep_runs(name: str, sweeps: Sequence[str]) -> list[SweepRun]:
    """Return a run for each combination of values.

    Args:
        name: The beginning of the adapters' names.
        sweeps: Settings with several values, as `rank=16,32`.

    Raises:
        UserError: a text has no values.
    """
    choices = []
    for text in sweeps:
        setting, _, values = text.partition("=")
        listed = [value.strip() for value in values.split(",") if value.strip()]
        if not (setting and listed):
            raise UserError(f"--sweep {text}: write it as NAME=VALUE,VALUE, as in rank=16,32")
        choices.append([f"{setting.strip()}={value}" for value in dict.fromkeys(listed)])
    return [
        SweepRun("-".join([name, *(text.replace("=", "-") for text in settings)]), settings)
        for settings in product(*choices)
    ]


def name_sweep(first: str) -> str:
    """Return the name of a sweep: of its group at Weights & Biases, and of its picture."""
    return f"{first}-sweep"


def run_sweep(
    name: str, runs: Sequence[SweepRun], arguments: Sequence[str], workspace: Workspace
) -> None:
    """Train all runs, each in a process of its own; then print a table and draw the curves.

    An adapter that is up to date takes no time. A run that fails does not stop the others.

    Args:
        name: The sweep's name.
        runs: The runs.
        arguments: The other arguments of `python -m train`.
        workspace: The folder that the stages share.

    Raises:
        UserError: some runs failed.
    """
    environment = {**os.environ, GROUP_VARIABLE: name}
    failed = []
    for number, run in enumerate(runs, 1):
        print(f"\nrun {number} of {len(runs)}: {run.name}", flush=True)
        settings = [part for text in run.settings for part in ("--set", text)]
        command = [sys.executable, "-m", "train", *arguments, *settings, "--name", run.name]
        if subprocess.run(command, env=environment).returncode:
            failed.append(run.name)
    print(f"\n{compare_runs(workspace, name, [run.name for run in runs])}")
    if failed:
        raise UserError(f"failed: {', '.join(failed)}; the same command does only what is missing")


def compare_runs(workspace: Workspace, name: str, adapters: Sequence[str]) -> str:
    """Draw the loss curves of those adapters that exist, and return a table of them.

    Args:
        workspace: The folder that the stages share.
        name: The picture's name.
        adapters: Names of adapters.
    """
    from train.artifacts.adapter_list import tabulate_adapters
    from train.artifacts.loss_curves import draw_runs
    from train.artifacts.run_history import read_history

    made = [each for each in adapters if workspace.adapter(each).is_dir()]
    if not made:
        return "no adapter to compare"
    picture = workspace.history(name)
    draw_runs(picture, {each: read_history(workspace.adapter(each)) for each in made})
    return f"{tabulate_adapters(workspace, names=made)}\n\ncurves: {picture}"


def leave_out(arguments: list[str], *options: str) -> list[str]:
    """Return the arguments without some options that take a value."""
    kept, rest = [], iter(arguments)
    for argument in rest:
        if argument in options:
            next(rest, None)
        elif argument.partition("=")[0] not in options:
            kept.append(argument)
    return kept
