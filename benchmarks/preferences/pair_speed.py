"""Speed of tuning by votes without a GPU: TRL's path and the fast path, one after the other.

    python -m benchmarks.preferences.pair_speed votes.jsonl --show unclaimed

The show's adapter must have been trained by the fast path. Seconds of a pair are those of the
reference's log-probabilities, and those of training, loading left out.
"""

import shutil
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from nothing_gpt.errors import reported_errors
from nothing_gpt.show import load_show
from nothing_gpt.votes.vote_file import read_votes
from nothing_gpt.workspace import Workspace

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def main(
    votes: Annotated[Path, typer.Argument(help="A file of votes on pairs.")],
    show: Annotated[str, typer.Option(help="The show.")] = "unclaimed",
    pairs: Annotated[int, typer.Option(min=8, help="Pairs of each path.")] = 16,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each path.")] = 2,
) -> None:
    """Train by both paths in turn and print the seconds of a pair."""
    for _ in range(rounds):
        for name, fused in (("TRL", False), ("fast", True)):
            reference, training = measure(show, votes, pairs, fused=fused)
            print(f"{name}: {reference:.2f} s a pair for the reference, {training:.2f} s to train")


def measure(show: str, votes: Path, pairs: int, *, fused: bool) -> tuple[float, float]:
    """Return the seconds of a pair for the reference, and for training."""
    from train.preferences.preference_run import resolve_preference_run
    from train.preferences.trainer.vote_trainer import build_vote_trainer
    from train.preferences.tuning import load_adapter

    loaded, workspace = load_show(show), Workspace.default()
    chosen = read_votes([votes])[:pairs]
    run = resolve_preference_run(
        loaded, chosen, workspace, name=f"{show}-pair-speed", settings={"fused": fused}
    )
    base, model = load_adapter(run)
    started = perf_counter()
    trainer = build_vote_trainer(run, base, model, "dpo", chosen)
    built = perf_counter()
    trainer.train()
    trained = perf_counter()
    shutil.rmtree(run.checkpoints)
    checked = len(trainer.eval_dataset)  # type: ignore[arg-type]
    return (built - started) / (pairs + checked), (trained - built) / pairs


if __name__ == "__main__":
    with reported_errors():
        app()
