"""Tokens per second of vLLM with each choice of flags, in the exact shape of Llama 3.2 3B.

    python -m benchmarks.vllm.throughput --budget 480 --report FOLDER
    python -m benchmarks.vllm.throughput --smoke --python .venv-vllm/bin/python

Each request has 300 prompt tokens and 256 new ones. The weights are random, and vLLM gets 22 GiB
of the GPU. `FOLDER` receives every server's log, and `figures.json`, rewritten after each row.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.endpoint.load import LoadSettings, clients, run, summarise
from benchmarks.vllm import profile as gpu_profile
from benchmarks.vllm.profile import Profile
from benchmarks.vllm.rows import ROWS, SMOKE, BenchmarkRow, list_arguments
from benchmarks.vllm.server_process import measure_cpu, read_gpu_memory, running_server
from benchmarks.vllm.shapes import write_models
from nothing_gpt.cast_lock import CastLock
from nothing_gpt.errors import UserError, reported_errors
from serve.vllm.lora_kernels import write_tables

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_MEMORY = 22.0  # GiB that a 24 GB card leaves free
_LEAST = 75.0  # seconds that a row needs at least: a start and one measurement

_CAST = ("DOT", "FELIX", "JUNE", "BEA", "MR. PIKE", "WALLY")
_EXTRAS: dict[str, dict[str, Any]] = {
    # The sampling of the bundled show's file, which the room's requests use.
    "a show's sampling": {"temperature": 0.7, "top_p": 0.95, "frequency_penalty": 0.3},
    "cast lock": CastLock(_CAST, 64).as_extra_body(),
}


@app.command()
def main(
    rows: Annotated[
        list[str] | None, typer.Argument(help=f"Which of: {', '.join(ROWS)}. All of them.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Folder for figures and logs.")] = None,
    budget: Annotated[float, typer.Option(help="Seconds; no row starts close to the end.")] = 3600,
    python: Annotated[str, typer.Option(help="An interpreter that has vLLM.")] = sys.executable,
    smoke: Annotated[bool, typer.Option("--smoke", help="Tiny shapes on a CPU.")] = False,
    profile: Annotated[bool, typer.Option("--profile", help="Also profile the steps.")] = False,
) -> None:
    """Measure each configuration and print a table."""
    started, known = time.monotonic(), SMOKE if smoke else ROWS
    for name in rows or ():
        if name not in known:
            raise UserError(f"no configuration '{name}'; there are {', '.join(known)}")
    folder = report or Path(tempfile.mkdtemp(prefix="serve-throughput-"))
    folder.mkdir(parents=True, exist_ok=True)
    # Always the same folder: vLLM's compile cache identifies a model by its path.
    models = Path(tempfile.gettempdir()) / "serve-throughput-models"
    memory = None
    if not smoke:
        memory = _MEMORY / read_gpu_memory()
        write_tables(models)
    write_models(models, tiny=smoke)
    figures: dict[str, Any] = {}
    with clients() as pool:
        for name in rows or known:
            left = budget - (time.monotonic() - started)
            if left < _LEAST:
                print(f"{name}: left out, {left:.0f} s are left", flush=True)
                continue
            traces = folder / f"{name}-traces" if profile else None
            server = ServerSettings(
                known[name], models, folder / f"{name}.log", python, memory, traces
            )
            figures[name] = _measure_row(server, pool, left)
            (folder / "figures.json").write_text(json.dumps(figures, indent=1))
            _print_row(name, figures[name])
    print(f"figures and logs: {folder}")


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Settings of one server.

    Attributes:
        memory: Its share of the GPU's memory, None for a CPU.
        traces: Folder for profiles, None if there are none.
    """

    row: BenchmarkRow
    models: Path
    log: Path
    python: str
    memory: float | None
    traces: Path | None


def _measure_row(server: ServerSettings, pool: Executor, left: float) -> dict[str, Any]:
    """Start a server, measure it and stop it; the figures of a failed row hold its error."""
    end = time.monotonic() + left
    found: dict[str, Any] = {"measured": []}
    try:
        with _start(server, end) as (url, process, seconds):
            found["start_up_seconds"] = seconds
            for load in _loads(server.row, url):
                if time.monotonic() > end:
                    found["cut"] = True
                    break
                found["measured"].append(_measure(load, process, pool))
            if server.traces:
                loads = [load for load in _loads(server.row, url) if not load.options]
                found["profiles"] = {
                    load.streams: asdict(gpu_profile.profile(load, pool, server.traces))
                    for load in loads
                }
    except (RuntimeError, OSError) as error:
        found["error"] = str(error)
    return found


def _loads(row: BenchmarkRow, url: str) -> Iterator[LoadSettings]:
    model = "adapter" if row.adapter else "base"
    extras = _EXTRAS if row.extras else {}
    for options in ({}, *extras.values()):
        for streams, tokens in row.streams[: 2 if options else None]:
            yield LoadSettings(
                url, model, streams, 4 if streams == 1 else 2, tokens, options=options
            )


def _measure(load: LoadSettings, process: int, pool: Executor) -> dict[str, Any]:
    """Send a load and measure it, after one unmeasured round that triggers lazy set-up."""
    run(replace(load, rounds=1, seed=1), pool)
    before, started = measure_cpu(process), time.monotonic()
    figures = summarise(run(load, pool))
    took = time.monotonic() - started
    kind = next((name for name, options in _EXTRAS.items() if options == load.options), "plain")
    used = {name: (s - before.get(name, 0.0)) / took for name, s in measure_cpu(process).items()}
    return {"streams": load.streams, "kind": kind, **figures, "cores": used}


def _start(server: ServerSettings, end: float) -> AbstractContextManager[tuple[str, int, float]]:
    cache = str(server.models)
    environment = {k: v.format(cache=cache) for k, v in server.row.environment.items()}
    if server.memory is None:
        environment["VLLM_CPU_KVCACHE_SPACE"] = "1"
    arguments = list_arguments(server.row, server.models, server.memory)
    if server.traces:
        arguments += gpu_profile.list_arguments(server.traces)
    patience = end - time.monotonic()
    return running_server(server.python, arguments, environment, server.log, patience=patience)


def _print_row(name: str, found: dict[str, Any]) -> None:
    start = f"start-up {found['start_up_seconds']:.1f} s" if "start_up_seconds" in found else ""
    print(f"{name}: {start} {found.get('error', '')}", flush=True)
    for each in found["measured"]:
        cores = ", ".join(f"{key} {value:.2f}" for key, value in each["cores"].items())
        print(
            f"  {each['streams']:4} streams, {each['kind']}: {each['tokens_per_second']:8,.0f} "
            f"tokens/s, first token {each['first_token_median_ms']:.0f} ms "
            f"(at most {each['first_token_most_ms']:.0f}); cores: {cores}",
            flush=True,
        )
    for streams, each in found.get("profiles", {}).items():
        print(f"  {streams:4} streams: {gpu_profile.describe(Profile(**each))}", flush=True)


if __name__ == "__main__":
    with reported_errors():
        app()
