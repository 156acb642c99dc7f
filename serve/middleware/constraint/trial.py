"""Trials of constraints in a process aside, before an engine sees them."""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from serve.logs import log_event
from serve.middleware.constraint.trial_process import CPU_SECONDS, MEMORY, STARTED
from serve.middleware.refusal import RefusedError

_TYPES: dict[str, type | tuple[type, ...]] = {
    "regex": str,
    "json": (dict, str),
    "choice": list,
    "grammar": str,
}
"""The kinds of constraints that clients write themselves, and their types."""

_AT_ONCE = 4
"""Constraints that are tried at the same time; the others wait."""

_PATIENCE = 60.0
"""Seconds after which the process is given up, which may have to load a tokenizer first."""


class ConstraintTrials:
    """Tries whether constraints can be compiled in bounded time and memory.

    Both engines compile a constraint in a thread of a process that serves everybody, and none can
    interrupt that. The process for trials is started with the first constraint, and ends when
    this one ends.

    Args:
        base: Folder or hub id of the base, whose tokenizer decides how large a constraint becomes.
        revision: The revision of a base from the hub.
    """

    def __init__(self, base: str, revision: str | None) -> None:
        self._command = [sys.executable, "-m", "serve.middleware.constraint.trial_process", base]
        self._command += [revision] if revision else []
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._process: subprocess.Popen[bytes] | None = None
        self._requests: socket.socket

    async def check(self, request: Any) -> None:
        """Try what constrains a completion, if anything does.

        Raises:
            RefusedError: it is invalid, or takes too much time or memory.
        """
        param, constraint = find_constraint(request)
        if not constraint:
            return
        async with self._places:
            try:
                async with asyncio.timeout(_PATIENCE):
                    error = await self._try(constraint)
            except (TimeoutError, OSError):
                error = None
        if error is None:
            log_event("constraints cannot be tried", code=self._stop())
            text = "constraints cannot be tried at the moment; try again soon"
            raise RefusedError(503, text, code="trial_failed", retry_after="5")
        if error:
            raise RefusedError(400, f"{param}: {error}", param=param)

    async def _try(self, constraint: Mapping[str, Any]) -> str | None:
        """Return what is wrong with a constraint; None if the process is."""
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._reach_process(), [b"\n"], [theirs.fileno()])
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        try:
            writer.write(json.dumps(constraint).encode())
            writer.write_eof()
            answer = await reader.read()
        finally:
            writer.close()
        if not answer.startswith(STARTED):
            return None
        if error := answer.removeprefix(STARTED):
            return str(json.loads(error))
        return (
            f"it takes more than {CPU_SECONDS} s or {MEMORY >> 20} MiB to compile; make it simpler"
        )

    def _reach_process(self) -> socket.socket:
        if self._process is None or self._process.poll() is not None:
            self._requests, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(self._command, stdin=theirs.fileno())
        return self._requests

    def _stop(self) -> int | None:
        """End the process, so that the next trial starts another; return its exit code."""
        if self._process is None:
            return None
        self._requests.close()
        self._process.kill()
        return self._process.wait()


def find_constraint(request: Any) -> tuple[str, dict[str, Any]]:
    """Find the field that constrains a completion, and its kinds with their values.

    What an engine will refuse anyway is left to it.
    """
    fields = request if isinstance(request, dict) else {}
    wanted, given = fields.get("response_format"), fields.get("structured_outputs")
    named = wanted.get("json_schema") if isinstance(wanted, dict) else None
    schema = {"json": named.get("schema")} if isinstance(named, dict) else {}
    given = given if isinstance(given, dict) else {}
    found = {
        kind: value
        for kind, value in {**schema, **given}.items()
        if isinstance(value, _TYPES.get(kind, ()))
    }
    return ("structured_outputs" if given else "response_format"), found
