"""The engine's process: started with its socket, watched by `/health`, and ended as a group."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

SOCKET_VARIABLE = "NOTHING_GPT_SOCKET"
"""Environment variable with the path of the Unix socket at which an engine serves."""

# The arguments are the engine's process group, and the folder of its socket.
_END_GROUP_AFTER_INPUT = (
    'read -r _; kill -s TERM -- -$0; sleep 5; kill -s KILL -- -$0; rm -rf -- "$1"'
)


class EngineProcess:
    """An engine that serves at a Unix socket; it can be started again after its end.

    Args:
        command: The engine's command line.
        environment: The variables that it gets besides this process's own.
        path: The socket's path, in a folder that is the engine's own.

    Attributes:
        path: The socket's path.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], path: str) -> None:
        self._command, self.path = command, path
        self._environment = os.environ | environment | {SOCKET_VARIABLE: path}
        self._process: subprocess.Popen[bytes]
        self._guard: subprocess.Popen[bytes]

    def start(self) -> None:
        """Start the engine, and a guard that ends it when this process is killed."""
        Path(self.path).unlink(missing_ok=True)
        # A session of its own, so that Ctrl-C in a terminal does not reach the engine a second
        # time, directly.
        self._process = subprocess.Popen(
            self._command, env=self._environment, start_new_session=True
        )
        # The guard's input ends when this process ends, for whatever reason. The guard then ends
        # the engine and the processes that it has started, and removes their sockets.
        self._guard = subprocess.Popen(
            [
                *("sh", "-c", _END_GROUP_AFTER_INPUT),
                *(str(self._process.pid), str(Path(self.path).parent)),
            ],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def wait(self) -> int:
        """Wait for the engine's end.

        Returns:
            The exit code; 128 plus the signal's number if a signal ended it.
        """
        code = self._process.wait()
        return code if code >= 0 else 128 - code

    def clean_up(self) -> None:
        """End the guard and what the engine has started, after the engine has ended."""
        self.kill()
        self._guard.kill()
        self._guard.communicate()

    async def is_healthy(self) -> bool:
        """Return whether `/health` answers with 200 within 5 seconds."""
        try:
            async with asyncio.timeout(5):
                reader, writer = await asyncio.open_unix_connection(self.path)
                writer.write(b"GET /health HTTP/1.1\r\nhost: engine\r\nconnection: close\r\n\r\n")
                status_line = await reader.readline()
                writer.close()
        except (OSError, TimeoutError):
            return False
        return b" 200 " in status_line

    def terminate(self) -> None:
        """Ask the engine to finish its answers and stop."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the engine and the processes that it has started."""
        # The whole group, because vLLM's engine core is a process of its own.
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
