"""Training tokens per second of data-parallel GPUs against one, and the losses of both.

    python -m benchmarks.train.parallel --lengths lengths.json
    python -m benchmarks.train.parallel four --lengths lengths.json
    python -m benchmarks.train.parallel --smoke

The fast path trains the model of `benchmarks.train.throughput` on the same examples. One GPU and
several take the same examples in the same steps. `strong` has 16 examples per step, 8 on each of
two GPUs. `weak` has 32 per step: 16 on each of two GPUs, or two micro-batches on one. `four` has
64 on four GPUs. By default it is the two for two GPUs.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.train.random_llama import build_model
from benchmarks.train.setups import ThroughputSetup, limit_memory, smoke_lengths
from benchmarks.train.trainer import count_tokens, make_trainer
from nothing_gpt.errors import UserError, reported_errors

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_WARM_UP, _TIMED = 4, 10
_PAIRS = {"strong": (16, 2), "weak": (32, 2), "four": (64, 4)}
"""Examples in a step, and the GPUs that share them."""

_DEFAULT = ("strong", "weak")
_PER_GPU = 16


@app.command(help=__doc__)
def main(
    pairs: Annotated[
        list[str] | None, typer.Argument(help=f"Which of: {', '.join(_PAIRS)}.")
    ] = None,
    lengths: Annotated[Path | None, typer.Option(help="Token counts of real examples.")] = None,
    dropout: Annotated[float, typer.Option(help="0 to compare losses exactly.")] = 0.1,
    cap: Annotated[float, typer.Option(help="GiB that torch may take of each GPU.")] = 22.0,
    smoke: Annotated[bool, typer.Option("--smoke", help="Tiny shapes on a CPU.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write the figures here as JSON.")] = None,
    batch: Annotated[int, typer.Option(hidden=True, help="Measure in this process.")] = 0,
) -> None:
    if not smoke and lengths is None:
        raise UserError("--lengths FILE is missing: the examples' token counts; or --smoke")
    examples = json.loads(lengths.read_text())["train"] if lengths else smoke_lengths()
    if batch:
        setup = ThroughputSetup(
            micro_batch=min(batch, _PER_GPU), batch=batch, cap=cap, dropout=dropout
        )
        figures = measure(setup, examples, smoke=smoke)
        if report and figures:
            report.write_text(json.dumps(figures))
        return
    options = ["--dropout", str(dropout), "--cap", str(cap)]
    options += ["--lengths", str(lengths)] if lengths else []
    if unknown := set(pairs or ()) - _PAIRS.keys():
        raise UserError(f"no pair '{min(unknown)}'; there are {', '.join(_PAIRS)}")
    rows = run_all(pairs or list(_DEFAULT), [*options, "--smoke"] if smoke else options)
    for line in format_report(rows):
        print(line)
    if report:
        report.write_text(json.dumps(rows, indent=1))


def run_all(pairs: list[str], options: list[str]) -> dict[str, dict[str, Any]]:
    """Measure one GPU for each, at the same time; then several GPUs, one after the other."""
    with tempfile.TemporaryDirectory() as folder:

        def start(name: str, batch: int, *gpus: str) -> "subprocess.Popen[bytes]":
            own = ["--batch", str(batch), "--report", f"{folder}/{name}", *options]
            environment = {
                "CUDA_VISIBLE_DEVICES": ",".join(gpus),
                "PYTORCH_ALLOC_CONF": "expandable_segments:True",
            }
            command = [*launcher(len(gpus)), "-m", "benchmarks.train.parallel", *own]
            return subprocess.Popen(command, env=os.environ | environment, stdout=sys.stderr)

        def finish(*runs: "subprocess.Popen[bytes]") -> None:
            codes = [run.wait() for run in runs]
            if any(codes):
                raise UserError("a measurement failed; what it said is above")

        alone = zip(pairs, map(str, count()), strict=False)
        finish(*[start(f"{name} 1", _PAIRS[name][0], gpu) for name, gpu in alone])
        for name in pairs:
            examples, gpus = _PAIRS[name]
            finish(start(f"{name} {gpus}", examples // gpus, *map(str, range(gpus))))
        return {path.name: json.loads(path.read_text()) for path in sorted(Path(folder).iterdir())}


def launcher(processes: int) -> list[str]:
    """Return the start of a command that runs this many processes on this machine."""
    if processes == 1:
        return [sys.executable]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    return [*torchrun, "--local-addr", "127.0.0.1", "--nproc-per-node", str(processes)]


def format_report(rows: dict[str, dict[str, Any]]) -> list[str]:
    """Format a table of speeds, then how far the losses of one and of all GPUs differ."""
    lines = ["            GPUs  examples/step  tokens/s  s/step  reserved GiB each  times one GPU"]
    for key, row in rows.items():
        name, gpus = key.split()
        examples, _ = _PAIRS[name]
        times = row["tokens_per_second"] / rows[f"{name} 1"]["tokens_per_second"]
        lines.append(
            f"{name:10} {gpus:>5}  {examples:13}  {row['tokens_per_second']:8,.0f}"
            f"  {row['seconds_per_step']:6.3f}  {row['reserved']:17.1f}  {times:13.2f}"
        )
    for name in {key.split()[0]: None for key in rows}:
        one, all_ = (rows[f"{name} {gpus}"]["losses"] for gpus in (1, _PAIRS[name][1]))
        apart = max(abs(a - b) / a for a, b in zip(one, all_, strict=True))
        lines.append(f"{name}: losses at most {apart:.1e} apart, relative; one GPU, then all:")
        lines += [" ".join(f"{loss:.5f}" for loss in losses) for losses in (one, all_)]
    return lines


def measure(
    setup: ThroughputSetup, lengths: list[list[int]], *, smoke: bool
) -> dict[str, Any] | None:
    """Train for a few steps together with the other processes.

    Returns:
        The figures in the first process, None in the others.

    Raises:
        UserError: There is no GPU and this is no smoke test.
    """
    import torch

    from train.trainer.process_group import current_group

    group = current_group()
    gpu = torch.cuda.is_available() and not smoke
    if not gpu and not smoke:
        raise UserError("this measures GPUs and there are none; use --smoke")
    if gpu:
        limit_memory(setup)
    warm_up, timed = (1, 2) if smoke else (_WARM_UP, _TIMED)
    with tempfile.TemporaryDirectory() as folder:
        model = build_model("cuda" if gpu else "cpu", tiny=smoke)
        trainer = make_trainer(setup, model, lengths, warm_up + timed, Path(folder), gpu=gpu)
        trainer.accelerator.ddp_handler.find_unused_parameters = False  # as in a real run
        losses, counts = _record_losses(trainer), count_tokens(trainer)
        marks: list[float] = []
        trainer.add_callback(_timer(marks, warm_up, gpu=gpu))
        trainer.train()
    parts = setup.batch // setup.micro_batch
    # Each process's loss is its part of the mean, multiplied by the number of processes because
    # gradients are averaged. So the mean over the processes is the loss of the whole step.
    summed = torch.stack(losses).reshape(-1, parts).sum(dim=1)
    summed = trainer.accelerator.reduce(summed, "mean")
    tokens = torch.tensor(counts[warm_up * parts : (warm_up + timed) * parts]).sum()
    tokens = trainer.accelerator.reduce(tokens.to(summed.device), "sum")
    seconds = marks[1] - marks[0]
    figures = {
        "tokens_per_second": int(tokens) / seconds,
        "seconds_per_step": seconds / timed,
        "reserved": torch.cuda.max_memory_reserved() / 2**30 if gpu else 0.0,
        "losses": summed.tolist(),
    }
    return None if group.rank else figures


def _record_losses(trainer: Any) -> list[Any]:
    """Return a list that gets each micro-batch's loss as a tensor, without waiting for the GPU."""
    losses: list[Any] = []
    step: Callable[..., Any] = trainer.training_step

    def recorded(*arguments: Any, **options: Any) -> Any:
        losses.append(step(*arguments, **options))
        return losses[-1]

    trainer.training_step = recorded
    return losses


def _timer(marks: list[float], warm_up: int, *, gpu: bool) -> Any:
    """Return a callback that records when the warm-up and the last step end on the GPU."""
    import torch
    from transformers import TrainerCallback

    class Timer(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step in (warm_up, state.max_steps):
                if gpu:
                    torch.cuda.synchronize()
                marks.append(time.perf_counter())

    return Timer()


if __name__ == "__main__":
    with reported_errors():
        app()
