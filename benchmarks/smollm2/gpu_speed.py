"""Training speed of the fast profile on one GPU, with the real base and a show's examples.

    python -m benchmarks.smollm2.gpu_speed --show seinfeld --steps 120
    python -m benchmarks.smollm2.gpu_speed --show seinfeld --steps 563 --interval 50 --evaluated 64

The figure is the median of the tokens a second that the trainer logs every ten steps, prompts
included, padding and evaluations left out. The first logs also cover compilation.
"""

from dataclasses import replace
from itertools import pairwise
from statistics import median
from time import perf_counter
from typing import Annotated

import typer

from benchmarks.smollm2.short_training import train_and_read
from nothing_gpt.errors import reported_errors

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def main(
    show: Annotated[str, typer.Option(help="A prepared show.")] = "seinfeld",
    base: Annotated[str, typer.Option(help="As `python -m train` takes it.")] = "smollm2",
    steps: Annotated[int, typer.Option(min=20, help="Optimiser steps of 16 examples.")] = 120,
    interval: Annotated[int, typer.Option(help="Steps between evaluations; 0 is none.")] = 0,
    evaluated: Annotated[int, typer.Option(help="Held-out examples of an evaluation.")] = 64,
) -> None:
    """Train once, and print speed and memory."""
    from train.config.profiles import load_profile

    config = replace(
        load_profile("fast"),
        max_steps=steps,
        eval_batch=64,
        eval_interval=interval,
        checkpoint_interval=steps,
        max_eval_examples=evaluated,
        all_at_end=True,
        quantize="none",
    )
    started = perf_counter()
    entries = train_and_read(show, base, config, "gpu-speed")
    whole = perf_counter() - started
    logged = [entry for entry in entries if "tokens_per_second" in entry]
    speeds = [entry["tokens_per_second"] for entry in logged]
    print("tokens/s by ten steps:", ", ".join(f"{speed:,.0f}" for speed in speeds))
    print(
        f"{median(speeds):,.0f} tokens/s in the median, {logged[-1]['memory_gib']:.1f} GiB,"
        f" last loss {logged[-1]['loss']:.4f}"
    )
    tokens = [0.0, *(entry["tokens"] for entry in logged)]
    trained = sum((b - a) / s for (a, b), s in zip(pairwise(tokens), speeds, strict=True))
    print(
        f"{steps} steps: {trained:.1f} s of training, {logged[-1]['seconds'] - trained:.1f} s of"
        f" evaluations of {evaluated} examples, {whole:.1f} s from loading to the finished adapter"
    )


if __name__ == "__main__":
    with reported_errors():
        app()
