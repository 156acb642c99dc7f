"""Train an adapter on a show's examples: `python -m train --show unclaimed`.

The default base, SmolLM2-135M, is fetched by pip and needs no GPU; `--base pocket` is built
from the scripts and needs no network.
On several GPUs: `torchrun --standalone --nproc-per-node 2 -m train --show unclaimed`.
"""

import logging
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nothing_gpt.adapter.manifest import adapter_name
from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.show import load_show
from nothing_gpt.workspace import Workspace
from train.config.base_names import REFERENCE_BASE, SMOLLM2_BASE

if TYPE_CHECKING:
    from train.config.config_file import ConfigFile

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True, help=__doc__)
def train(
    context: typer.Context,
    show: Annotated[
        str | None, typer.Option(help="A show's name, or a path to its TOML file.")
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            help="'smollm2', 'pocket', a hub id, a folder or a GGUF file.",
            show_default="that of --config, else smollm2",
        ),
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option("--fresh/--resume", help="Start again, or continue what was interrupted."),
    ] = False,
    profile: Annotated[
        str | None,
        typer.Option(
            help="'reference', or for Llamas 'fast', 'small', 'laptop'.",
            show_default="laptop for smollm2, else reference",
        ),
    ] = None,
    quantize: Annotated[
        str | None,
        typer.Option(
            help="4-bit base: 'nf4', 'none', or 'auto' (from a billion parameters on).",
            metavar="Q",
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="A run of the reference's history: phase1-r16, ... phase4.", metavar="P"
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="A TOML file of settings, as ADAPTER/config.toml.", metavar="FILE"),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="One setting, as learning_rate=1e-4.", metavar="NAME=VALUE"),
    ] = None,
    target_modules: Annotated[
        str | None,
        typer.Option(help="Linear layers with adapters, as q_proj,v_proj.", metavar="NAMES"),
    ] = None,
    max_steps: Annotated[
        int | None, typer.Option(help="Optimiser steps of a short run.", metavar="N")
    ] = None,
    eval_examples: Annotated[
        int | None, typer.Option(help="Held-out examples at most.", metavar="N")
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(help="Stop after so many evaluations without a lower loss.", metavar="N"),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of data order and dropout.", metavar="N")
    ] = None,
    sweep: Annotated[
        list[str] | None,
        typer.Option(
            help="A run for each value, and for each combination with other sweeps: rank=16,32.",
            metavar="NAME=VALUE,...",
        ),
    ] = None,
    name: Annotated[
        str, typer.Option(help="The adapter's name.", show_default="SHOW, or SHOW-PRESET")
    ] = "",
    plan: Annotated[
        bool, typer.Option("--plan", help="Only say what a run would take on --gpu.")
    ] = False,
    gpu: Annotated[str, typer.Option(help="For --plan: Modal's name of a GPU.")] = "L4",
    workspace: Annotated[
        Path | None, typer.Option(help="Folder that the stages share.", show_default="workspace")
    ] = None,
) -> None:
    place = Workspace(workspace) if workspace else Workspace.default()
    if context.invoked_subcommand:
        return
    if plan:
        from nothing_gpt.gpus import find_gpu
        from train.estimate.profile_table import tabulate_profiles

        chosen = load_show(show) if show else None
        typer.echo(tabulate_profiles(base or REFERENCE_BASE, find_gpu(gpu), chosen, place))
        return
    if show is None:
        raise UserError("--show is missing: a show's name, or a path to its TOML file")
    if sweep:
        from train.sweep import list_sweep_runs, name_sweep, run_sweep

        first = name or adapter_name(load_show(show).name, preset or "")
        arguments = _leave_out(sys.argv[1:], "--sweep", "--name")
        run_sweep(name_sweep(first), list_sweep_runs(first, sweep), arguments, place)
        return
    options = {
        "quantize": quantize,
        "target_modules": target_modules and target_modules.split(","),
        "max_steps": max_steps,
        "max_eval_examples": eval_examples,
        "patience": patience,
        "seed": seed,
    }
    from train.config.config_file import parse_assignments, read_config_file

    given = {key: value for key, value in options.items() if value is not None}
    file = read_config_file(config) if config else None
    _train(
        show,
        base or (file and file.base) or SMOLLM2_BASE,
        profile=profile,
        preset=preset,
        file=file,
        settings=given | parse_assignments(set_ or ()),
        name=name,
        fresh=fresh,
        workspace=place,
    )


def _train(
    show: str,
    base: str,
    *,
    profile: str | None,
    preset: str | None,
    file: "ConfigFile | None",
    settings: dict[str, Any],
    name: str,
    fresh: bool,
    workspace: Workspace,
) -> None:
    # Idle threads sleep instead of spinning. Beside another busy process, training on a small
    # CPU is more than twice as fast this way. torch reads this when it is first imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    _quieten_libraries()
    from train.config.presets import load_preset
    from train.config.run import resolve_config, resolve_run
    from train.config.training_config import list_warnings
    from train.finetuning import finetune
    from train.trainer.process_group import current_group

    repeated = load_preset(preset) if preset else None
    config = resolve_config(base, profile, repeated, file=file, settings=settings)
    group = current_group()
    for warning in list_warnings(config) if group.rank == 0 else ():
        typer.echo(f"warning: {warning}", err=True)
    loaded = group.run_on_first(lambda: load_show(show))
    finetune(
        group.run_in_turn(
            lambda: resolve_run(
                loaded,
                base,
                config,
                workspace,
                name=name,
                preset=repeated,
                format_name=file.format if file else None,
                fresh=fresh,
            )
        )
    )


@app.command("list")
def list_runs(
    show: Annotated[str | None, typer.Option(help="Only those of this show.")] = None,
    workspace: Annotated[
        Path | None, typer.Option(help="Folder that the stages share.", show_default="workspace")
    ] = None,
) -> None:
    """List the finished adapters: base, loss, bits a byte, date."""
    from train.artifacts.adapter_list import tabulate_adapters

    place = Workspace(workspace) if workspace else Workspace.default()
    typer.echo(tabulate_adapters(place, show))


def _leave_out(arguments: list[str], *options: str) -> list[str]:
    """Return the arguments without some options that take a value."""
    kept, rest = [], iter(arguments)
    for argument in rest:
        if argument in options:
            next(rest, None)
        elif argument.partition("=")[0] not in options:
            kept.append(argument)
    return kept


def _quieten_libraries() -> None:
    """Silence messages that nobody can act on."""
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    # It recommends an optional kernel package.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    # It advises against batches of one example, which small bases learn more from.
    logging.getLogger("trl").setLevel(logging.ERROR)
    # TRL sets an option by its former name.
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")


if __name__ == "__main__":
    with reported_errors():
        app()
