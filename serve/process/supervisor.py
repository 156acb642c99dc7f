"""Keeps an engine running behind the port: waits for it, starts it again, stops it in order."""

import asyncio
import os
import resource
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from nothing_gpt.errors import UserError
from serve.middleware.logs import log, set_up
from serve.process.proxy import Proxy

SOCKET = "NOTHING_GPT_SOCKET"
"""Environment variable by which an engine learns at which Unix socket to serve."""

DRAIN = "NOTHING_GPT_DRAIN"
"""Environment variable: seconds that running answers get when the server is stopped."""

_POLL = 0.2  # seconds between two looks at an engine that loads
_LOOK = 10.0  # seconds between two looks at one that runs
_HUNG = 60.0  # seconds without a good answer after which it is killed
_LONGEST = 60.0  # seconds between two starts, at most
_STEADY = 300.0  # seconds after which an engine that ran counts as a good one
_GRACE = 15.0  # seconds on top of the drain, after which an engine is killed
_HEIR = "read -r _; kill -s TERM -- -$0; sleep 5; kill -s KILL -- -$0"

Make = Callable[[str], list[str]]


def read_drain() -> float:
    """Read how long running answers get when the server is stopped: 30 seconds, or DRAIN's.

    Raises:
        UserError: it is not a number of seconds.
    """
    text = os.environ.get(DRAIN, "30")
    if not text.replace(".", "", 1).isdigit():
        raise UserError(f"{DRAIN}={text}: must be a number of seconds")
    return float(text)


def supervise(
    make: Make, environment: Mapping[str, str], listener: socket.socket, models: Sequence[str]
) -> int:
    """Run an engine until it is to stop, or cannot be started; again whenever it fails later.

    SIGTERM, SIGINT and SIGHUP let it finish what it is at; a second one means now.

    Args:
        make: Makes the command that serves at a Unix socket, whose path it gets.
        environment: What the command's environment has besides this process's own.
        listener: The port.
        models: What the engine serves, for the log.

    Returns:
        The exit code: the engine's own when it never came up, 0 when it was stopped by SIGHUP,
        130 for SIGINT; SIGTERM ends this process itself.
    """
    import uvloop

    set_up()
    with tempfile.TemporaryDirectory(prefix="serve-") as folder:
        path = str(Path(folder) / "engine")
        host, port = listener.getsockname()[:2]
        about = {"models": models, "url": f"http://{host}:{port}/v1"}
        keeper = _Keeper(make(path), os.environ | environment | {SOCKET: path}, path, about)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            code = runner.run(keeper.keep(listener))
    if keeper.asked == signal.SIGTERM:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTERM)
    return 130 if keeper.asked == signal.SIGINT else code


class _Keeper:
    def __init__(
        self, command: list[str], environment: dict[str, str], path: str, about: dict[str, Any]
    ) -> None:
        self._command, self._environment, self._about = command, environment, about
        self._door = Proxy(path)
        self._drain = read_drain()
        self._child: subprocess.Popen[bytes]
        self._heir: subprocess.Popen[bytes]
        self._stop = asyncio.Event()
        self.asked: signal.Signals | None = None

    async def keep(self, listener: socket.socket) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._end, number)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 65536)), hard))
        server = await loop.create_server(self._door.visit, sock=listener, backlog=1024)
        try:
            return await self._cycle(loop)
        finally:
            server.close()

    async def _cycle(self, loop: asyncio.AbstractEventLoop) -> int:
        wait, came_up = 0.5, False
        while True:
            began = loop.time()
            self._start()
            code = await self._watch()
            came_up = came_up or self._door.closed is None
            if self.asked is not None:
                return 0
            self._door.closed = "restarting", "the engine failed and is started again"
            if not came_up:
                # As it is told to run it cannot; its own message says why.
                return code or 1
            wait = 1.0 if loop.time() - began > _STEADY else min(2 * wait, _LONGEST)
            log("engine ended", code=code, again_in_seconds=wait)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), wait)
                return 0

    def _start(self) -> None:
        Path(self._door.path).unlink(missing_ok=True)
        # A session of its own: Ctrl-C in a terminal would otherwise reach it twice.
        self._child = subprocess.Popen(
            self._command,
            env=self._environment,
            start_new_session=True,
        )
        # Whoever holds the other end of its input is this process: when that ends, however it
        # went, the engine and the processes that it started are ended too.
        self._heir = subprocess.Popen(
            ["sh", "-c", _HEIR, str(self._child.pid)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    async def _watch(self) -> int:
        """Open the door when the engine answers, see that it goes on, and wait for its end."""
        waiting = asyncio.create_task(asyncio.to_thread(self._child.wait))
        now = asyncio.get_running_loop().time
        looked = well = now()
        while not waiting.done():
            if self.asked is None and (self._door.closed or now() - looked > _LOOK):
                looked = now()
                if await self._answers():
                    well = looked
                    self._open()
                elif self._door.closed is None and now() - well > _HUNG:
                    log("engine hangs", seconds=_HUNG)
                    self._kill()
            await asyncio.wait({waiting}, timeout=_POLL)
        self._heir.kill()
        self._heir.communicate()
        code = waiting.result()
        return code if code >= 0 else 128 - code

    def _open(self) -> None:
        if self._door.closed is not None and self.asked is None:
            self._door.closed = None
            log("serving", **self._about)

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(5):
                reader, writer = await asyncio.open_unix_connection(self._door.path)
                writer.write(b"GET /health HTTP/1.1\r\nhost: engine\r\nconnection: close\r\n\r\n")
                first = await reader.readline()
                writer.close()
        except (OSError, TimeoutError):
            return False
        return b" 200 " in first

    def _end(self, number: signal.Signals) -> None:
        """Begin to stop, or, asked again, stop."""
        again, self.asked = self.asked is not None, self.asked or number
        self._door.closed = "draining", "the server is stopping"
        self._stop.set()
        if not again:
            log("draining", seconds=self._drain)
        with suppress(ProcessLookupError):
            self._child.send_signal(signal.SIGTERM)
        wait = _GRACE if again else self._drain + _GRACE
        asyncio.get_running_loop().call_later(wait, self._kill)

    def _kill(self) -> None:
        # The whole group: vLLM's engine is a process of its own.
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
