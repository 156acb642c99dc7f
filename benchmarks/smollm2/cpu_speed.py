"""Training speed of the laptop profile on a CPU, by the plain and by the fused path in turn.

    python -m benchmarks.smollm2.cpu_speed --show unclaimed --steps 8 --rounds 2

The plain path is PEFT's layers and TRL's loss, which computes logits of completions only, also in
bf16 and with one example a step. Both paths see the same examples. The figure is the median of the
tokens a second that the trainer logs for each step, prompts included, evaluation left out.
"""

from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.smollm2.short_training import train_and_read
from nothing_gpt.errors import reported_errors

if TYPE_CHECKING:
    from train.config.training_config import TrainingConfig

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def main(
    show: Annotated[str, typer.Option(help="A prepared show.")] = "unclaimed",
    base: Annotated[str, typer.Option(help="As `python -m train` takes it.")] = "smollm2",
    steps: Annotated[int, typer.Option(min=2, help="Steps of each training.")] = 8,
    rounds: Annotated[int, typer.Option(help="Trainings of each path.")] = 2,
) -> None:
    """Train by both paths in turn and print their speeds and the ratio."""
    from train.config.profiles import load_profile

    short = replace(load_profile("laptop"), max_steps=steps, log_interval=1, max_eval_examples=1)
    paths = {"plain": replace(short, fused=False), "fused": short}
    speeds: dict[str, list[float]] = {name: [] for name in paths}
    for _ in range(rounds):
        for name, config in paths.items():
            speeds[name] += _measure(show, base, config)
    middle = {name: median(found) for name, found in speeds.items()}
    for name, speed in middle.items():
        best, worst = max(speeds[name]), min(speeds[name])
        print(f"{name}: {speed:,.0f} tokens/s in the median, {worst:,.0f} to {best:,.0f}")
    print(f"fused / plain: {middle['fused'] / middle['plain']:.2f}")


def _measure(show: str, base: str, config: "TrainingConfig") -> list[float]:
    """Train once; return the tokens a second of each step after the first."""
    entries = train_and_read(show, base, config, "cpu-speed")
    found = [entry["tokens_per_second"] for entry in entries if "tokens_per_second" in entry]
    return found[1:]


if __name__ == "__main__":
    with reported_errors():
        app()
