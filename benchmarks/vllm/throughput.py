"""Tokens a second of vLLM under each choice of flags, in the exact shape of Llama 3.2 3B.

    python -m benchmarks.vllm.throughput --budget 480 --report FOLDER
    python -m benchmarks.vllm.throughput --smoke --python .venv-vllm/bin/python

300 prompt tokens and 256 new ones a request, random weights, 22 GiB of the GPU. `FOLDER` gets
`figures.json`, written anew after each row, and every server's log.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.endpoint.load import LoadSettings, clients, run, summarise
from benchmarks.vllm import profile as serve_profile
from benchmarks.vllm.profile import Profile
from benchmarks.vllm.rows import ROWS, SMOKE, BenchmarkRow, list_arguments
from benchmarks.vllm.shapes import write_models
from nothing_gpt.cast_lock import CastLock
from nothing_gpt.errors import UserError, reported_errors
from serve.vllm.lora_kernels import write_tables

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_MEMORY = 22.0  # GiB, what a 24 GB card leaves
_LEAST = 75.0  # seconds without which no row is begun: a start and a measurement

_CAST = ("DOT", "FELIX", "JUNE", "BEA", "MR. PIKE", "WALLY")
_EXTRAS: dict[str, dict[str, Any]] = {
    # As in a show's file: what a request of the room asks for.
    "a show's sampling": {"temperature": 0.7, "top_p": 0.95, "frequency_penalty": 0.3},
    "cast lock": CastLock(_CAST, 64).as_extra_body(),
}


@app.command()
def main(
    rows: Annotated[
        list[str] | None, typer.Argument(help=f"Which of: {', '.join(ROWS)}. All of them.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Folder for figures and logs.")] = None,
    budget: Annotated[float, typer.Option(help="Seconds; no row is begun near the end.")] = 3600,
    python: Annotated[str, typer.Option(help="An interpreter that has vLLM.")] = sys.executable,
    smoke: Annotated[bool, typer.Option("--smoke", help="Tiny shapes on a CPU.")] = False,
    profile: Annotated[bool, typer.Option("--profile", help="Also where steps spend it.")] = False,
) -> None:
    """Measure each configuration and print a table."""
    begun, known = time.monotonic(), SMOKE if smoke else ROWS
    for name in rows or ():
        if name not in known:
            raise UserError(f"no configuration '{name}'; there are {', '.join(known)}")
    folder = report or Path(tempfile.mkdtemp(prefix="serve-throughput-"))
    folder.mkdir(parents=True, exist_ok=True)
    # Always the same place: the compile cache knows a model by its path.
    models = Path(tempfile.gettempdir()) / "serve-throughput-models"
    memory = None
    if not smoke:
        memory = _MEMORY / _memory_of_gpu()
        write_tables(models)
    write_models(models, tiny=smoke)
    figures: dict[str, Any] = {}
    with clients() as pool:
        for name in rows or known:
            left = budget - (time.monotonic() - begun)
            if left < _LEAST:
                print(f"{name}: left out, {left:.0f} s are left", flush=True)
                continue
            traces = folder / f"{name}-traces" if profile else None
            server = VllmProcess(
                known[name], models, folder / f"{name}.log", python, memory, traces
            )
            figures[name] = _measure_row(server, pool, left)
            (folder / "figures.json").write_text(json.dumps(figures, indent=1))
            _print_row(name, figures[name])
    print(f"figures and logs: {folder}")


@dataclass(frozen=True, slots=True)
class VllmProcess:
    """What a server is started from.

    Attributes:
        memory: Its share of the GPU, None for a CPU.
        traces: A folder for profiles, if there are to be any.
    """

    row: BenchmarkRow
    models: Path
    log: Path
    python: str
    memory: float | None
    traces: Path | None


def _measure_row(server: VllmProcess, pool: Executor, left: float) -> dict[str, Any]:
    """Start a server, measure it, end it. A row that fails tells why, and the next one follows."""
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
                    load.streams: asdict(serve_profile.profile(load, pool, server.traces))
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
    """Send a load, after a first round of it for what is made lazily."""
    run(replace(load, rounds=1, seed=1), pool)
    before, begun = _cpu_seconds(process), time.monotonic()
    figures = summarise(run(load, pool))
    took = time.monotonic() - begun
    kind = next((name for name, options in _EXTRAS.items() if options == load.options), "plain")
    used = {name: (s - before.get(name, 0.0)) / took for name, s in _cpu_seconds(process).items()}
    return {"streams": load.streams, "kind": kind, **figures, "cores": used}


def _start(server: VllmProcess, end: float) -> AbstractContextManager[tuple[str, int, float]]:
    cache = str(server.models)
    wanted = {k: v.format(cache=cache) for k, v in server.row.environment.items()}
    if server.memory is None:
        wanted["VLLM_CPU_KVCACHE_SPACE"] = "1"
    arguments = list_arguments(server.row, server.models, server.memory)
    if server.traces:
        arguments += serve_profile.list_arguments(server.traces)
    patience = end - time.monotonic()
    return running(server.python, arguments, wanted, server.log, patience=patience)


@contextmanager
def running(
    python: str, arguments: list[str], environment: dict[str, str], log: Path, *, patience: float
) -> Iterator[tuple[str, int, float]]:
    """Run vLLM; give its address, process id and the seconds that its start took.

    Raises:
        RuntimeError: it ended by itself, or was not ready after `patience` seconds.
    """
    port, begun = _free_port(), time.monotonic()
    url = f"http://127.0.0.1:{port}"
    place = ["--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [python, "-m", "vllm.entrypoints.openai.api_server", *place, *arguments],
            env=os.environ | environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait(process, f"{url}/health", log, begun + patience)
            yield url, process.pid, time.monotonic() - begun
        finally:
            _end(process)


def _wait(process: subprocess.Popen[bytes], address: str, log: Path, end: float) -> None:
    while process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2):  # noqa: S310
                return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > end:
                raise RuntimeError("not ready in time") from None
            time.sleep(0.1)
    lines = log.read_text(errors="replace").splitlines()
    errors = [line.strip() for line in lines if "Error" in line]
    raise RuntimeError(errors[-1][-300:] if errors else f"exit status {process.returncode}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a server and what it started, so that the next one finds the GPU free."""
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=10)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _cpu_seconds(process: int) -> dict[str, float]:
    """Return the CPU seconds of a server's processes so far: what is near 1 a second is full."""
    import psutil  # type: ignore[import-untyped]

    parent = psutil.Process(process)
    found: dict[str, float] = {}
    for each in (parent, *parent.children(recursive=True)):
        times = each.cpu_times()
        name = "api" if each is parent else (each.cmdline() or ["?"])[0]
        found[name] = found.get(name, 0.0) + times.user + times.system
    return found


def _memory_of_gpu() -> float:
    """Return the GPU's memory in GiB."""
    query = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        raise UserError("no NVIDIA GPU answers here; for a CPU there is --smoke") from None
    return float(done.stdout.splitlines()[0]) / 1024


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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
        print(f"  {streams:4} streams: {serve_profile.describe(Profile(**each))}", flush=True)


if __name__ == "__main__":
    with reported_errors():
        app()
