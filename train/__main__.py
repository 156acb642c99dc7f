"""Train an adapter on a show's examples: `python -m train --show unclaimed`.

The default base, SmolLM2-135M, is fetched by pip and needs no GPU; `--base pocket` is built
from the scripts and needs no network.
On several GPUs: `torchrun --standalone --nproc-per-node 2 -m train --show unclaimed`.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nothing_gpt.adapter.manifest import adapter_name
from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.show import load_show
from nothing_gpt.workspace import Workspace
from train.config.base_names import POCKET_BASE, REFERENCE_BASE, SMOLLM2_BASE
from train.library_settings import prepare_libraries

if TYPE_CHECKING:
    from nothing_gpt.show import Show
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
            help="'reference', or for Llama, Mistral, Qwen 2 and 3 'fast', 'small', 'laptop'.",
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
        str, typer.Option(help="The new adapter's name.", show_default="SHOW, or SHOW-PRESET")
    ] = "",
    preferences: Annotated[
        list[Path] | None,
        typer.Option(
            help="Tune --adapter by a file of votes; can be given again.", metavar="FILE"
        ),
    ] = None,
    adapter: Annotated[
        str,
        typer.Option(help="The adapter that --preferences tunes.", show_default="SHOW"),
    ] = "",
    best_of_n: Annotated[
        bool,
        typer.Option("--best-of-n", help="Learn what was chosen, from fewer votes."),
    ] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what a run would take.")] = False,
    gpu: Annotated[
        str | None,
        typer.Option(
            help="For --plan: Modal's name of a GPU.",
            show_default="L4, and this machine if it has none",
        ),
    ] = None,
    workspace: Annotated[
        Path | None, typer.Option(help="Folder that the stages share.", show_default="workspace")
    ] = None,
) -> None:
    place = Workspace(workspace) if workspace else Workspace.default()
    if context.invoked_subcommand:
        return
    if plan:
        _print_plan(base or REFERENCE_BASE, gpu, load_show(show) if show else None, place)
        return
    if show is None:
        raise UserError("--show is missing: a show's name, or a path to its TOML file")
    if sweep:
        from train.sweep import leave_out, list_sweep_runs, name_sweep, run_sweep

        first = name or adapter_name(load_show(show).name, preset or "")
        arguments = leave_out(sys.argv[1:], "--sweep", "--name")
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
    from train.preferences.preference_run import check_options, resolve_preference_run

    given = {key: value for key, value in options.items() if value is not None}
    check_options(
        tunes=bool(preferences),
        others={"--base": base, "--profile": profile, "--preset": preset, "--config": config},
        own={"--adapter": adapter, "--best-of-n": best_of_n},
    )
    if preferences:
        from nothing_gpt.votes.vote_file import read_votes
        from train.preferences.tuning import tune

        votes = read_votes(preferences)
        prepare_libraries()
        run = resolve_preference_run(
            load_show(show),
            votes,
            place,
            adapter=adapter,
            name=name,
            settings=given | parse_assignments(set_ or ()),
            best_of_n=best_of_n,
            fresh=fresh,
        )
        tune(run)
        return
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


def _print_plan(base: str, gpu: str | None, show: "Show | None", workspace: Workspace) -> None:
    from nothing_gpt.hardware.gpus import find_gpu
    from train.estimate.machine import find_machine
    from train.estimate.profile_table import tabulate_cpu, tabulate_profiles

    if gpu or base != POCKET_BASE:
        typer.echo(tabulate_profiles(base, find_gpu(gpu or "L4"), show, workspace))
    if not gpu and not find_machine().gpu:
        typer.echo(f"\n{tabulate_cpu(base, show, workspace)}")


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
    prepare_libraries()
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


@app.command()
def watch(
    name: Annotated[str, typer.Argument(help="The adapter's name, by default the show's.")],
    port: Annotated[int, typer.Option(help="Port of the page.")] = 7871,
    workspace: Annotated[
        Path | None, typer.Option(help="Folder that the stages share.", show_default="workspace")
    ] = None,
) -> None:
    """Show a training while it runs, on a page: figures, curves, what it writes so far."""
    from train.watch.server import make_server

    place = Workspace(workspace) if workspace else Workspace.default()
    with make_server(name, place, port) as server:
        typer.echo(f"watching '{name}' at http://127.0.0.1:{server.server_port}/; Ctrl-C ends it")
        server.serve_forever()


if __name__ == "__main__":
    with reported_errors():
        app()
