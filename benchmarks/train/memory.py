"""Peak memory of training a Llama 3.2 3B in many configurations, next to the plan's estimate.

    python -m benchmarks.train.memory --lengths lengths.json --report peaks.json
    python -m benchmarks.train.memory --smoke

Each configuration trains for a few steps in a process of its own. Several run at the same time,
so only their memory is measured, not their speed. `lengths.json` has the format that
`benchmarks.train.throughput` describes.
"""

import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.train.random_llama import build_model
from benchmarks.train.setups import (
    SETUPS,
    ThroughputSetup,
    limit_memory,
    measure_in_subprocess,
    smoke_lengths,
)
from benchmarks.train.trainer import make_trainer
from nothing_gpt.errors import UserError, reported_errors
from train.config.training_config import TrainingConfig
from train.estimate.memory import GIB, RESERVE, USABLE, training_bytes
from train.estimate.model_shape import LLAMA_3B

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_STEPS, _PROCESSES = 4, 5
_REFERENCE, _TRL, _FUSED = SETUPS["reference"], SETUPS["trl"], SETUPS["fused"]


def _setup(
    base: ThroughputSetup, micro_batch: int, cap: float, rank: int = 32, **more: bool
) -> ThroughputSetup:
    return replace(base, micro_batch=micro_batch, batch=micro_batch, cap=cap, rank=rank, **more)


CASES = {
    "reference-4-22": _setup(_REFERENCE, 4, 22),
    "reference-2-22": _setup(_REFERENCE, 2, 22),
    "reference-1-15": _setup(_REFERENCE, 1, 15),
    "reference-8-40": _setup(_REFERENCE, 8, 40),
    "reference-8-22": _setup(_REFERENCE, 8, 22),
    "reference-4-r64-40": _setup(_REFERENCE, 4, 40, 64),
    "trl-1-8": _setup(_TRL, 1, 8),
    "trl-4-22": _setup(_TRL, 4, 22),
    "trl-8-15": _setup(_TRL, 8, 15),
    "trl-16-40": _setup(_TRL, 16, 40),
    "trl-4-r16-15": _setup(_TRL, 4, 15, 16),
    "trl-2-kept-40": _setup(_TRL, 2, 40, checkpointing=False),
    "fused-4-8": _setup(_FUSED, 4, 8),
    "fused-16-15": _setup(_FUSED, 16, 15),
    "fused-16-22": _setup(_FUSED, 16, 22),
    "fused-16-40": _setup(_FUSED, 16, 40),
    "fused-8-r64-40": _setup(_FUSED, 8, 40, 64),
    "fused-32-22": _setup(_FUSED, 32, 22),
}


@app.command()
def main(
    cases: Annotated[list[str] | None, typer.Argument(help="Which of them; default: all.")] = None,
    lengths: Annotated[Path | None, typer.Option(help="Token counts of real examples.")] = None,
    smoke: Annotated[bool, typer.Option("--smoke", help="Tiny shapes on a CPU.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write the figures here as JSON.")] = None,
    here: Annotated[bool, typer.Option("--here", help="All in this process.")] = False,
) -> None:
    """Measure each configuration and print its peak next to the plan's."""
    names = cases or list(CASES)
    if smoke:
        rows = {name: measure(CASES[name], smoke_lengths(), smoke=True) for name in names}
    elif lengths is None:
        raise UserError("--lengths FILE is missing: the examples' token counts; or --smoke")
    elif here:
        examples = json.loads(lengths.read_text())["train"]
        rows = {name: measure(CASES[name], examples, smoke=False) for name in names}
    else:
        with ThreadPoolExecutor(_PROCESSES) as pool:
            found = pool.map(
                lambda name: measure_in_subprocess("benchmarks.train.memory", name, lengths), names
            )
        rows = dict(zip(names, found, strict=True))
    print(f"{'':20} allocated   reserved    planned, GiB")
    for name, row in rows.items():
        print(_format_row(name, row))
    if report:
        report.write_text(json.dumps(rows, indent=1))


def plan_peak(setup: ThroughputSetup, batches: list[list[list[int]]]) -> float:
    """Return the peak in GiB that the plan estimates for these batches."""
    config = TrainingConfig(
        rank=setup.rank, gradient_checkpointing=setup.checkpointing, fused=setup.fused
    )
    wholes = ([whole for whole, _ in batch] for batch in batches)
    tokens = [sum(n) if setup.padding_free else len(n) * max(n) for n in wholes]
    allowed = round((setup.cap or 0.0) * GIB * USABLE) - RESERVE
    peak = training_bytes(LLAMA_3B, config, tokens, allowed, full_logits=setup.full_logits)
    return peak / GIB


def _format_row(name: str, row: dict[str, Any]) -> str:
    if "error" in row:
        return f"{name:20} {row['error']}"
    figures = (row["allocated"], row["reserved"], row["planned"])
    return f"{name:20} " + "  ".join(f"{figure:9.2f}" for figure in figures)


def measure(setup: ThroughputSetup, lengths: list[list[int]], *, smoke: bool) -> dict[str, Any]:
    """Train for a few steps; return the peaks in GiB and the batches that caused them.

    Raises:
        UserError: There is no GPU and this is no smoke test.
    """
    import torch

    gpu = not smoke
    if gpu and not torch.cuda.is_available():
        raise UserError("this measures a GPU and there is none; use --smoke")
    if gpu:
        limit_memory(setup)
    with tempfile.TemporaryDirectory() as folder:
        model = build_model("cuda" if gpu else "cpu", tiny=smoke)
        trainer = make_trainer(setup, model, lengths, _STEPS, Path(folder), gpu=gpu)
        batches = _record_batches(trainer)
        trainer.train()
    return {
        "allocated": torch.cuda.max_memory_allocated() / GIB if gpu else 0.0,
        "reserved": torch.cuda.max_memory_reserved() / GIB if gpu else 0.0,
        # The loader fetches one batch more than there are steps.
        "planned": plan_peak(setup, batches[:_STEPS]),
        "batches": batches,
        "setup": asdict(setup),
    }


def _record_batches(trainer: Any) -> list[list[list[int]]]:
    """Return a list that gets each batch: its examples' tokens, all and those learned from."""
    batches: list[list[list[int]]] = []
    collate = trainer.data_collator

    def recorded(examples: list[dict[str, list[int]]]) -> Any:
        batches.append(
            [[len(e["labels"]), sum(label != -100 for label in e["labels"])] for e in examples]
        )
        return collate(examples)

    trainer.data_collator = recorded
    return batches


if __name__ == "__main__":
    with reported_errors():
        app()
