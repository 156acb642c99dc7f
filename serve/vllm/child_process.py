"""vLLM as a child process: whether it can run here, and running it."""

import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from nothing_gpt.errors import UserError
from serve.process.supervisor import read_drain_seconds, supervise
from serve.vllm.arguments import VllmSettings, build_arguments, build_environment


class VllmStartError(RuntimeError):
    """vLLM ended while it was starting, or did not answer in time."""


def is_usable(python: str) -> bool:
    """Return whether an interpreter has vLLM, and sees a GPU."""
    # The interpreter itself is asked, because this one's torch may have been built without CUDA.
    code = "import sys, torch; sys.exit(not torch.cuda.is_available())"
    return _is_installed(python) and subprocess.run([python, "-c", code]).returncode == 0


def _is_installed(python: str) -> bool:
    if python == sys.executable:
        return importlib.util.find_spec("vllm") is not None
    code = "import importlib.util, sys; sys.exit(importlib.util.find_spec('vllm') is None)"
    try:
        return subprocess.run([python, "-c", code]).returncode == 0
    except OSError as error:
        raise UserError(f"{python}: not a Python that runs ({error.strerror})") from None


def run_vllm(python: str, settings: VllmSettings, listener: socket.socket) -> int:
    """Run vLLM behind a port until the server is stopped; `supervise` restarts it.

    Returns:
        The exit code.

    Raises:
        UserError: vLLM is not installed.
    """
    if not _is_installed(python):
        raise UserError(
            f"vLLM is not installed for {python}; name a Python that has it with --vllm-python, "
            "or use --engine local"
        )

    def build_command(path: str) -> list[str]:
        drain = str(round(read_drain_seconds()))
        # vLLM's sockets between its processes, which stay if it is killed, are in the same folder.
        sockets = f"VLLM_RPC_BASE_PATH={Path(path).parent}"
        command = [python, *build_arguments(settings), "--uds", path, "--shutdown-timeout", drain]
        return ["env", sockets, *command]

    return supervise(build_command, build_environment(settings), listener, settings.models.names)


def start_vllm(
    python: str,
    settings: VllmSettings,
    *,
    environment: Mapping[str, str] | None = None,
    log: IO[str] | None = None,
) -> "subprocess.Popen[bytes]":
    """Start vLLM at its own port, without a proxy and a supervisor.

    Args:
        environment: Further variables.
        log: Where its output goes; None for this process's own output.
    """
    return subprocess.Popen(
        [python, *build_arguments(settings)],
        env={**os.environ, **build_environment(settings), **(environment or {})},
        stdout=log,
        stderr=log,
    )


def wait_until_healthy(process: "subprocess.Popen[bytes]", port: int, timeout: float) -> None:
    """Wait until a vLLM process answers.

    Args:
        timeout: Seconds.

    Raises:
        VllmStartError: it ended, or did not answer in time.
    """
    url = f"http://127.0.0.1:{port}/health"
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise VllmStartError(f"vLLM ended with {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise VllmStartError(f"vLLM did not answer within {timeout:.0f} s")
