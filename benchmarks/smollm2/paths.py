"""Training by the plain and by the fused path on real weights and real scripts, on one GPU.

    python -m benchmarks.smollm2.paths --show seinfeld --base smollm2 --steps 200

Both paths start from the same seed, see the same examples and have no dropout, because they draw
their masks differently. The plain path also runs with other micro-batches: the same steps, rounded
otherwise. What these two differ by is the noise of bf16.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.smollm2.short_training import train_and_read
from nothing_gpt.errors import reported_errors
from nothing_gpt.files import write_json

if TYPE_CHECKING:
    from train.config.training_config import TrainingConfig

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def main(
    show: Annotated[str, typer.Option(help="A prepared show.")] = "seinfeld",
    base: Annotated[str, typer.Option(help="As `python -m train` takes it.")] = "smollm2",
    steps: Annotated[int, typer.Option(help="Optimiser steps of 16 examples.")] = 200,
    rate: Annotated[float, typer.Option(help="The peak learning rate.")] = 1e-3,
    evaluated: Annotated[int, typer.Option(help="Held-out examples to evaluate.")] = 256,
    report: Annotated[Path | None, typer.Option(help="JSON file for all losses.")] = None,
) -> None:
    """Run the three trainings and print how far their losses are apart."""
    from train.config.training_config import TrainingConfig

    plain = replace(
        TrainingConfig(),
        dropout=0.0,
        learning_rate=rate,
        gradient_checkpointing=False,
        eval_batch=8,
        eval_interval=0,
        checkpoint_interval=steps,
        log_interval=1,
        max_steps=steps,
        max_eval_examples=evaluated,
        quantize="none",
    )
    configs = {
        "plain, 4 x 4": plain,
        "plain, 8 x 2": replace(plain, train_batch=8, accumulation=2),
        "fused, 16 x 1": replace(plain, train_batch=16, accumulation=1, fused=True),
    }
    losses = {name: _train(show, base, config) for name, config in configs.items()}
    if report:
        write_json(report, losses)
    reference = losses["plain, 4 x 4"]
    for name, (trained, held_out) in losses.items():
        gaps = sorted(abs(a - b) for a, b in zip(trained, reference[0], strict=True))
        print(
            f"{name:14} held out {held_out:.4f} ({held_out - reference[1]:+.4f}), "
            f"last loss {trained[-1]:.4f}; apart {gaps[len(gaps) // 2]:.4f} in the median, "
            f"{gaps[-1]:.4f} at most"
        )


def _train(show: str, base: str, config: "TrainingConfig") -> tuple[list[float], float]:
    """Train once; return the loss of each step and the held-out loss at the end."""
    entries = train_and_read(show, base, config, "paths")
    trained = [entry["loss"] for entry in entries if "loss" in entry]
    return trained, [entry["eval_loss"] for entry in entries if "eval_loss" in entry][-1]


if __name__ == "__main__":
    with reported_errors():
        app()
