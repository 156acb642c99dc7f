"""Training tokens per second and peak memory of a Llama 3.2 3B on one GPU.

    python -m benchmarks.train.throughput --lengths lengths.json
    python -m benchmarks.train.throughput --smoke

The weights are random and have the exact shapes, so speed and memory are real without a download.
`lengths.json` holds `{"train": [[tokens, completion tokens], ...]}`. The figures in RESULTS.md
use the lengths of the 9,007 Seinfeld examples. Each configuration trains on 16 examples per step
in a process of its own. Padding tokens are not counted.
"""

import json
import sys
import tempfile
import time
from dataclasses import asdict
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
from benchmarks.train.trainer import count_tokens, make_trainer
from nothing_gpt.errors import UserError, reported_errors

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_WARM_UP, _TIMED = 3, 10


@app.command()
def main(
    setups: Annotated[
        list[str] | None, typer.Argument(help=f"Which of: {', '.join(SETUPS)}. All of them.")
    ] = None,
    lengths: Annotated[Path | None, typer.Option(help="Token counts of real examples.")] = None,
    smoke: Annotated[bool, typer.Option("--smoke", help="Tiny shapes on a CPU.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write the figures here as JSON.")] = None,
    here: Annotated[bool, typer.Option("--here", help="All in this process.")] = False,
) -> None:
    """Measure each configuration and print a table."""
    rows = {}
    for name in setups or SETUPS:
        if name not in SETUPS:
            raise UserError(f"no configuration '{name}'; there are {', '.join(SETUPS)}")
        if smoke:
            rows[name] = measure(SETUPS[name], smoke_lengths(), smoke=True)
        elif lengths is None:
            raise UserError("--lengths FILE is missing: the examples' token counts; or --smoke")
        elif here:
            examples = json.loads(lengths.read_text())["train"]
            rows[name] = measure(SETUPS[name], examples, smoke=False)
        else:
            rows[name] = measure_in_subprocess("benchmarks.train.throughput", name, lengths)
        print(_format_row(name, rows[name]), file=sys.stderr, flush=True)
    print("configuration      tokens/s  s/step  allocated  reserved GiB   loss     gradient")
    for name, row in rows.items():
        print(_format_row(name, row))
    if report:
        report.write_text(json.dumps(rows, indent=1))


def _format_row(name: str, row: dict[str, Any]) -> str:
    if "error" in row:
        return f"{name:18} {row['error']}"
    return (
        f"{name:18} {row['tokens_per_second']:8,.0f}  {row['seconds_per_step']:6.3f}"
        f"  {row['allocated']:9.1f}  {row['reserved']:12.1f}"
        f"  {row['loss']:7.4f}  {row['gradient']:7.4f}"
    )


def measure(setup: ThroughputSetup, lengths: list[list[int]], *, smoke: bool) -> dict[str, Any]:
    """Train for a few steps; return speed, peak memory in GiB and the first step's loss.

    Raises:
        UserError: There is no GPU and this is no smoke test.
    """
    import torch

    gpu = torch.cuda.is_available() and not smoke
    if not gpu and not smoke:
        raise UserError("this measures a GPU and there is none; use --smoke")
    if gpu:
        limit_memory(setup)
    if setup.liger and gpu:
        from liger_kernel.transformers import apply_liger_kernel_to_llama

        apply_liger_kernel_to_llama(cross_entropy=False, fused_linear_cross_entropy=False)
    warm_up, timed = (1, 1) if smoke else (_WARM_UP, _TIMED)
    clock = _Clock(warm_up, gpu=gpu)
    with tempfile.TemporaryDirectory() as folder:
        model = build_model("cpu" if smoke else "cuda", tiny=smoke)
        trainer = make_trainer(setup, model, lengths, warm_up + timed, Path(folder), gpu=gpu)
        counts = count_tokens(trainer)
        trainer.add_callback(clock.callback())
        trainer.train()
    accumulation = setup.batch // setup.micro_batch
    tokens = sum(counts[warm_up * accumulation : (warm_up + timed) * accumulation])
    first = trainer.state.log_history[0]
    gib = 2**30
    return {
        "tokens_per_second": tokens / clock.seconds,
        "seconds_per_step": clock.seconds / timed,
        "allocated": torch.cuda.max_memory_allocated() / gib if gpu else 0.0,
        "reserved": torch.cuda.max_memory_reserved() / gib if gpu else 0.0,
        "loss": first["loss"],
        "gradient": first["grad_norm"],
        "setup": asdict(setup),
    }


class _Clock:
    """Timer of the steps after the warm-up; it empties the GPU's queue at both ends."""

    def __init__(self, warm_up: int, *, gpu: bool) -> None:
        self._warm_up, self._gpu = warm_up, gpu
        self.seconds = 0.0
        self._started = 0.0

    def callback(self) -> Any:
        from transformers import TrainerCallback

        clock = self

        class Steps(TrainerCallback):
            def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
                if state.global_step == clock._warm_up:
                    clock._started = clock._now()
                elif state.global_step == state.max_steps:
                    clock.seconds = clock._now() - clock._started

        return Steps()

    def _now(self) -> float:
        if self._gpu:
            import torch

            torch.cuda.synchronize()
        return time.perf_counter()


if __name__ == "__main__":
    with reported_errors():
        app()
