"""Serves a base model and its adapters over OpenAI's API.

python -m serve                            # what the workspace holds, on 127.0.0.1:8000
python -m serve --show unclaimed           # the base that one show's adapter stands on
python -m serve --base HUB_ID --engine vllm
python -m serve --engine vllm --print-command
"""

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.workspace import VARIABLE, Workspace
from serve.middleware.api_keys import KEY, read_keys
from serve.models.base_files import write_template
from serve.models.served_models import choose_models
from serve.process.port import bind_port
from serve.process.supervisor import SOCKET, supervise
from serve.vllm import server as vllm

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

Engine = Literal["auto", "local", "vllm"]


@app.command()
def main(
    engine: Annotated[
        Engine, typer.Option(help="auto: vllm where there are a GPU and vLLM, else local.")
    ] = "auto",
    show: Annotated[
        str | None, typer.Option(help="Serve the base that this show's adapter stands on.")
    ] = None,
    base: Annotated[
        str | None, typer.Option(help="Serve this base: a hub id, a folder, or pocket-SHOW.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8000,
    workspace: Annotated[
        Path | None, typer.Option(help="Folder with the adapters.", envvar=VARIABLE)
    ] = None,
    max_length: Annotated[
        int | None, typer.Option(help="Tokens of a prompt and its completion together.", min=64)
    ] = None,
    max_sequences: Annotated[
        int | None, typer.Option(help="Completions written at the same time.", min=1)
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
    NOTHING_GPT_KEYS names a file with named keys and their limits (docs/serving.md).
    """
    place = Workspace(workspace) if workspace else Workspace.default()
    offer = choose_models(place, show, base)
    limits = {"max_length": max_length, "max_sequences": max_sequences}
    given = {name: value for name, value in limits.items() if value is not None}
    if path := os.environ.get(SOCKET):
        from serve.local_engine.server import run

        run(offer, path, **given)
        return
    for name, why in offer.left_out.items():
        print(f"left out: {name}, {why}", file=sys.stderr)
    if engine == "auto":
        engine = "vllm" if print_command or vllm.is_usable(vllm_python) else "local"
    if engine == "local" and print_command:
        raise UserError("the local engine has no command: it runs in this process")
    if not print_command:
        _warn_if_open(host)
        listener = bind_port(host, port)
    if engine == "local":
        # The same command once more, which finds SOCKET and is then the engine.
        command = [sys.executable, "-m", "serve", *sys.argv[1:]]
        raise typer.Exit(supervise(lambda _path: command, {}, listener, offer.models))
    template = write_template(offer, place)
    settings = vllm.VllmSettings(offer, template, place.cache("vllm"), host, port, **given)
    vllm.write_tables(settings.cache)
    if print_command:
        print(shlex.join(vllm.build_command(vllm_python, settings)))
    else:
        raise typer.Exit(vllm.run(vllm_python, settings, listener))


def _warn_if_open(host: str) -> None:
    if not read_keys() and host not in ("127.0.0.1", "localhost", "::1"):
        print(f"open to whoever reaches {host}; to ask for keys, set {KEY}", file=sys.stderr)


if __name__ == "__main__":
    with reported_errors():
        app()
