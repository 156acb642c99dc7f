"""Train an adapter on a show's examples: `python -m train --show unclaimed`.

`--base pocket`, the default, first builds a small base model, for which no GPU is needed.
On several GPUs: `torchrun --standalone --nproc-per-node 2 -m train --show unclaimed`.
"""

import logging
import os
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.show import load_show
from nothing_gpt.workspace import Workspace
from train.base_model import pocket

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def train(
    show: Annotated[
        str | None, typer.Option(help="A show's name, or a path to its TOML file.")
    ] = None,
    base: Annotated[
        str, typer.Option(help="'pocket', a hub id, or a folder with a model.")
    ] = pocket.NAME,
    fresh: Annotated[
        bool,
        typer.Option("--fresh/--resume", help="Start again, or continue what was interrupted."),
    ] = False,
    profile: Annotated[
        str, typer.Option(help="For real bases: 'reference', or for Llamas 'fast', 'small'.")
    ] = "reference",
    preset: Annotated[
        str | None,
        typer.Option(
            help="A run of the reference's history: phase1-r16, ... phase4.", metavar="P"
        ),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(min=1, help="Stop after so many evaluations without a lower loss."),
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only say what a run would take on --gpu.")
    ] = False,
    gpu: Annotated[str, typer.Option(help="For --plan: Modal's name of a GPU.")] = "L4",
    seed: Annotated[int | None, typer.Option(help="Seed of data order and dropout.")] = None,
    workspace: Annotated[
        Path | None, typer.Option(help="Folder that the stages share.", show_default="workspace")
    ] = None,
) -> None:
    place = Workspace(workspace) if workspace else Workspace.default()
    if plan:
        from nothing_gpt.gpus import find_gpu
        from train.estimate.profile_table import tabulate_profiles

        typer.echo(tabulate_profiles(base, find_gpu(gpu), show, place))
        return
    if show is None:
        raise UserError("--show is missing: a show's name, or a path to its TOML file")
    # Idle threads sleep instead of spinning: beside another busy process, training on a small
    # CPU is more than twice as fast. Read once, when torch is first imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    _quieten_libraries()
    from train.config.presets import at_pocket_size, load_preset, with_profile
    from train.config.training_config import POCKET, list_warnings, load_profile
    from train.finetuning import Run, finetune
    from train.trainer.process_group import join

    config = POCKET if base == pocket.NAME else load_profile(profile)
    repeated = load_preset(preset) if preset else None
    if repeated:
        small = base == pocket.NAME
        config = at_pocket_size(repeated) if small else with_profile(repeated, config)
    config = replace(config, patience=patience)
    if seed is not None:
        config = replace(config, seed=seed)
    group = join()
    for warning in list_warnings(config) if group.rank == 0 else ():
        typer.echo(f"warning: {warning}", err=True)
    chosen = group.decide(lambda: load_show(show))
    finetune(Run(chosen, base, config, place, fresh=fresh, preset=repeated))


def _quieten_libraries() -> None:
    """Leave the terminal to what a person can act on."""
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    # Names an optional kernel package, and an option that TRL sets by its former name.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")


if __name__ == "__main__":
    with reported_errors():
        app()
