"""Training speed of the fast profile on one GPU, with the real base and a show's examples.

    python -m benchmarks.smollm2.gpu_speed --show seinfeld --steps 120

The figure is the median of the tokens a second that the trainer logs every ten steps, prompts
included, padding and evaluations left out. The first logs also cover compilation.
"""

import shutil
from dataclasses import replace
from statistics import median
from typing import Annotated

import typer

from nothing_gpt.errors import reported_errors
from nothing_gpt.files import read_json
from nothing_gpt.show import load_show
from nothing_gpt.workspace import Workspace

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def main(
    show: Annotated[str, typer.Option(help="A prepared show.")] = "seinfeld",
    base: Annotated[str, typer.Option(help="As `python -m train` takes it.")] = "smollm2",
    steps: Annotated[int, typer.Option(min=20, help="Optimiser steps of 16 examples.")] = 120,
) -> None:
    """Train once, and print speed and memory."""
    from train.config.profiles import load_profile
    from train.config.run import resolve_run
    from train.finetuning import finetune

    config = replace(
        load_profile("fast"),
        max_steps=steps,
        eval_interval=0,
        max_eval_examples=64,
        quantize="none",
    )
    workspace = Workspace.default()
    run = resolve_run(load_show(show), base, config, workspace, fresh=True)
    name = f"{run.name}-gpu-speed"
    run = replace(
        run, name=name, adapter=workspace.adapter(name), checkpoints=workspace.checkpoints(name)
    )
    folder = finetune(run)
    logged = [e for e in read_json(folder / "history.json") if "tokens_per_second" in e]
    shutil.rmtree(folder)
    speeds = [entry["tokens_per_second"] for entry in logged]
    print("tokens/s by ten steps:", ", ".join(f"{speed:,.0f}" for speed in speeds))
    print(
        f"{median(speeds):,.0f} tokens/s in the median, {logged[-1]['memory_gib']:.1f} GiB,"
        f" {logged[-1]['seconds']:.1f} s for {steps} steps, last loss {logged[-1]['loss']:.4f}"
    )


if __name__ == "__main__":
    with reported_errors():
        app()
