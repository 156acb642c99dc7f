"""Export a trained adapter: `python -m train.export --show unclaimed --to merged`."""

import logging
import os
import warnings
from pathlib import Path
from typing import Annotated, get_args

import typer

from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.workspace import Workspace
from train.export import hub
from train.export.exporter import ExportForm, export

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    show: Annotated[str, typer.Option(help="Name of a trained adapter.")],
    to: Annotated[
        str, typer.Option(help=f"One of: {', '.join(get_args(ExportForm))}.")
    ] = "merged",
    fresh: Annotated[bool, typer.Option("--fresh", help="Write it again in any case.")] = False,
    push: Annotated[
        str | None,
        typer.Option(metavar="hub:OWNER/NAME", help="Upload it to a private repository too."),
    ] = None,
    workspace: Annotated[
        Path | None, typer.Option(help="Folder that the stages share.", show_default="workspace")
    ] = None,
) -> None:
    """Write an adapter in a form that other engines take, and measure its held-out loss.

    merged: one plain model. fp8: the same in 8-bit floats, for vLLM on Ada or Hopper. gguf: one
    file for llama.cpp and programs built on it. ollama: the same with a Modelfile.
    """
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TQDM_DISABLE", "1")
    # It recommends an optional kernel package.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
    place = Workspace(workspace) if workspace else Workspace.default()
    form = next((form for form in get_args(ExportForm) if form == to), None)
    if form is None:
        raise UserError(f"no form '{to}'; there are {', '.join(get_args(ExportForm))}")
    target = hub.read_target(push) if push else None
    folder = export(place, show, form, fresh=fresh)
    if target:
        print(f"uploaded to {hub.push(folder, target)}")


if __name__ == "__main__":
    with reported_errors():
        app()
