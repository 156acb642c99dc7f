"""Compares both engines with training: the same token ids, and the same losses.

    python -m serve.parity --show unclaimed
    python -m serve.parity --show unclaimed --vllm-python .venv-vllm/bin/python

Training writes a few judged examples beside the adapter (`parity.json`).
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from nothing_gpt.adapter.parity_reference import read_parity_reference
from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.workspace import VARIABLE, Workspace
from serve.models.base_files import write_template
from serve.models.served_models import ServedModels, choose_models
from serve.parity.comparison import find_faults, render_table
from serve.parity.scoring import read_examples, score_examples
from serve.parity.vllm_client import VllmClient, running_vllm
from serve.process.port import bind_port
from serve.vllm.arguments import VllmSettings
from serve.vllm.child_process import is_usable

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    show: Annotated[str, typer.Option(help="The adapter to compare with its training.")],
    workspace: Annotated[
        Path | None, typer.Option(help="Folder with the adapters.", envvar=VARIABLE)
    ] = None,
    vllm_python: Annotated[
        str | None,
        typer.Option(
            help="A Python that has vLLM; without it, this one if there is a GPU.",
            envvar="NOTHING_GPT_VLLM_PYTHON",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Compare token ids and losses of held-out examples: training, local engine, vLLM."""
    place = Workspace(workspace) if workspace else Workspace.default()
    chosen = choose_models(place, show)
    models = replace(chosen, adapters={show: chosen.adapters[show]})
    reference = read_parity_reference(models.adapters[show].path)
    examples = read_examples(models, show, reference, place)
    python = vllm_python or (sys.executable if is_usable(sys.executable) else None)
    with _start_vllm(python, models, place) as vllm:
        rows, tolerances = score_examples(models, show, reference, examples, vllm)
    print(render_table(rows))
    faults = [fault for row in rows for fault in find_faults(row, tolerances)]
    if vllm is None:
        print("vLLM was not asked; name a Python that has it with --vllm-python")
    if faults:
        raise UserError("training and serving disagree:\n" + "\n".join(faults))
    print(
        f"training and serving agree on {len(rows)} examples, within {tolerances.training:g} nats "
        f"a token as trained, the engines within {tolerances.served:g} as served"
    )


@contextmanager
def _start_vllm(
    python: str | None, models: ServedModels, workspace: Workspace
) -> Iterator[VllmClient | None]:
    """Run vLLM within a `with` block; without a Python that has it, yield None."""
    if python is None:
        yield None
        return
    with bind_port("127.0.0.1", 0) as listener:
        port: int = listener.getsockname()[1]
    template, cache = write_template(models, workspace), workspace.cache("vllm")
    settings = VllmSettings(models, template, cache, port=port, max_sequences=4)
    with running_vllm(python, settings, workspace.logs / "parity-vllm.log") as vllm:
        yield vllm


if __name__ == "__main__":
    with reported_errors():
        app()
