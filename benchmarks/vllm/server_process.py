"""vLLM's server as a child process: start, readiness, CPU use and end."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nothing_gpt.errors import UserError


@contextmanager
def running_server(
    python: str, arguments: list[str], environment: dict[str, str], log: Path, *, patience: float
) -> Iterator[tuple[str, int, float]]:
    """Run vLLM; yield its address, its process id and the seconds that its start took.

    Raises:
        RuntimeError: The server exited, or was not ready after `patience` seconds.
    """
    port, started = _find_free_port(), time.monotonic()
    url = f"http://127.0.0.1:{port}"
    address = ["--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [python, "-m", "vllm.entrypoints.openai.api_server", *address, *arguments],
            env=os.environ | environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait_until_ready(process, f"{url}/health", log, started + patience)
            yield url, process.pid, time.monotonic() - started
        finally:
            _stop(process)


def measure_cpu(process: int) -> dict[str, float]:
    """Return the CPU seconds that a server's processes have used; one core gives 1 per second."""
    import psutil

    parent = psutil.Process(process)
    seconds: dict[str, float] = {}
    for each in (parent, *parent.children(recursive=True)):
        times = each.cpu_times()
        name = "api" if each is parent else (each.cmdline() or ["?"])[0]
        seconds[name] = seconds.get(name, 0.0) + times.user + times.system
    return seconds


def read_gpu_memory() -> float:
    """Return the GPU's memory in GiB.

    Raises:
        UserError: There is no NVIDIA GPU.
    """
    query = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        raise UserError("no NVIDIA GPU answers here; for a CPU there is --smoke") from None
    return float(done.stdout.splitlines()[0]) / 1024


def _wait_until_ready(
    process: subprocess.Popen[bytes], address: str, log: Path, end: float
) -> None:
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


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the server and its children, so that the next server finds the GPU free."""
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=10)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
