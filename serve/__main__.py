"""Serves a base model and its adapters over OpenAI's API.

python -m serve                            # the workspace's adapters, on 127.0.0.1:8000
python -m serve --show unclaimed           # the base of one show's adapter
python -m serve --base HUB_ID --engine vllm
python -m serve --engine vllm --print-command
python -m serve keys add ana               # also list and revoke, without a restart
"""

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from nothing_gpt.admission import NAMES_VARIABLE, OPEN_VARIABLE, is_loopback, is_open
from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.workspace import VARIABLE, Workspace
from serve.middleware.keys.api_keys import KEYS_VARIABLE, read_keys
from serve.middleware.keys.commands import app as keys_app
from serve.models.adapter_watch import AdapterWatch
from serve.models.base_files import write_template
from serve.models.served_models import ServedModels, choose_models
from serve.process.engine_process import SOCKET_VARIABLE
from serve.process.port import bind_port
from serve.process.supervisor import BuildCommand, supervise
from serve.torch_variables import list_torch_variables
from serve.vllm.arguments import VllmSettings, build_command
from serve.vllm.child_process import is_usable, run_vllm
from serve.vllm.lora_kernels import write_tables

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
app.add_typer(keys_app, name="keys")

Engine = Literal["auto", "local", "vllm"]


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    engine: Annotated[
        Engine, typer.Option(help="auto: vllm where there are a GPU and vLLM, else local.")
    ] = "auto",
    show: Annotated[
        str | None, typer.Option(help="Serve the base of this show's adapter.")
    ] = None,
    base: Annotated[
        str | None, typer.Option(help="Serve this base: a hub id, a folder, or pocket-SHOW.")
    ] = None,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow",
            help="Also offer adapters that are finished later. One of another base takes the place"
            " of those that are offered.",
        ),
    ] = False,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8000,
    name: Annotated[
        list[str] | None,
        typer.Option(help="A further name of the server, such as that of a proxy before it."),
    ] = None,
    workspace: Annotated[
        Path | None, typer.Option(help="Folder with the adapters.", envvar=VARIABLE)
    ] = None,
    max_length: Annotated[
        int | None, typer.Option(help="Tokens of a prompt and its completion together.", min=64)
    ] = None,
    max_sequences: Annotated[
        int | None, typer.Option(help="Completions written at the same time.", min=1)
    ] = None,
    allowed_origins: Annotated[
        list[str] | None,
        typer.Option(
            help="Let pages of this origin read answers, such as https://example.org; * for all. "
            "Can be repeated.",
            show_default="none",
        ),
    ] = None,
    vllm_python: Annotated[
        str,
        typer.Option(
            help="The Python that has vLLM, if not this one.",
            envvar="NOTHING_GPT_VLLM_PYTHON",
            show_default=False,
        ),
    ] = sys.executable,
    print_command: Annotated[
        bool, typer.Option("--print-command", help="Print vLLM's command line, and stop.")
    ] = False,
) -> None:
    """Serve a base model and its adapters over OpenAI's API.

    NOTHING_GPT_API_KEY holds the keys that open the server, separated by commas;
    NOTHING_GPT_KEYS names a file with named keys and their limits (docs/serving.md). A server that
    others reach, by --host, must have a key, or NOTHING_GPT_OPEN=1.
    """
    if context.invoked_subcommand is not None:
        return
    place = Workspace(workspace) if workspace else Workspace.default()
    models = choose_models(place, show, base)
    given = {
        "max_length": max_length,
        "max_sequences": max_sequences,
        "origins": tuple(allowed_origins or ()),
    }
    options: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if path := os.environ.get(SOCKET_VARIABLE):
        os.environ |= list_torch_variables()
        from serve.local_engine.http.server import run_local_engine

        run_local_engine(models, place, path, **options)
        return
    for adapter, reason in models.left_out.items():
        print(f"left out: {adapter}, {reason}", file=sys.stderr)
    if engine == "auto":
        engine = "vllm" if print_command or is_usable(vllm_python) else "local"
    if engine == "local" and print_command:
        raise UserError("the local engine has no command: it runs in this process")
    if print_command:
        settings = _prepare_vllm(models, place, host, port, options)
        print(shlex.join(build_command(vllm_python, settings)))
        return
    _require_keys(host)
    if is_loopback(host):
        os.environ[NAMES_VARIABLE] = ",".join(name or ())
    listener = bind_port(host, port)
    if engine == "vllm":
        if follow:
            print("vLLM offers later adapters after a restart of the server", file=sys.stderr)
        settings = _prepare_vllm(models, place, host, port, options)
        raise typer.Exit(run_vllm(vllm_python, settings, listener))
    # The same command, in a process that finds SOCKET_VARIABLE set and becomes the engine.
    command = [sys.executable, "-m", "serve", *sys.argv[1:]]
    watch = AdapterWatch(place.adapters)

    def find_successor() -> BuildCommand | None:
        newest = watch.find_newest() if follow else None
        return None if newest is None else lambda _path: [*command, "--show", newest]

    code = supervise(lambda _path: command, {}, listener, models.names, find_successor)
    raise typer.Exit(code)


def _prepare_vllm(
    models: ServedModels, workspace: Workspace, host: str, port: int, options: dict[str, Any]
) -> VllmSettings:
    """Make vLLM's settings, and write the files that they name."""
    template, cache = write_template(models, workspace), workspace.cache("vllm")
    write_tables(cache)
    return VllmSettings(models, template, cache, host, port, **options)


def _require_keys(host: str) -> None:
    """Refuse to be open to others without being told so."""
    if not read_keys() and not is_loopback(host) and not is_open(os.environ):
        raise UserError(
            f"whoever reaches {host} could have this server write; set {KEYS_VARIABLE}=KEY, or "
            f"{OPEN_VARIABLE}=1 if it is meant to be open to everybody"
        )


if __name__ == "__main__":
    with reported_errors():
        app()
