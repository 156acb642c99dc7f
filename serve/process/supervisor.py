"""The supervisor: it starts the engine behind the port, restarts it, and stops it in order."""

import asyncio
import os
import resource
import signal
import socket
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from nothing_gpt.errors import UserError
from serve.logs import configure_logging, log_event
from serve.process.engine_process import EngineProcess
from serve.process.proxy import DRAINING, RESTARTING, Proxy
from serve.process.succession import RunningEngine, Succession

DRAIN_VARIABLE = "NOTHING_GPT_DRAIN"
"""Environment variable: seconds that running answers get when the server is stopped."""

_POLL_INTERVAL = 0.2  # seconds between two looks at an engine
_HEALTH_INTERVAL = 10.0  # seconds between two checks of one that answers
_HANG_TIMEOUT = 60.0  # seconds without a good answer after which it is killed
_MAX_RESTART_DELAY = 60.0  # seconds
_STABLE_AFTER = 300.0  # seconds of running after which the restart delay starts from 1 again
_KILL_GRACE = 15.0  # seconds after the drain before an engine is killed

BuildCommand = Callable[[str], list[str]]
"""Makes the command line of an engine from the path of its Unix socket."""

FindSuccessor = Callable[[], BuildCommand | None]
"""Returns how to start an engine that is to take the place of the running one; None for none."""


def read_drain_seconds() -> float:
    """Read how long running answers get when the server is stopped; 30 seconds by default.

    Raises:
        UserError: the variable is not a number of seconds.
    """
    text = os.environ.get(DRAIN_VARIABLE, "30")
    if not text.replace(".", "", 1).isdigit():
        raise UserError(f"{DRAIN_VARIABLE}={text}: must be a number of seconds")
    return float(text)


def supervise(
    build_command: BuildCommand,
    environment: Mapping[str, str],
    listener: socket.socket,
    model_names: Sequence[str],
    find_successor: FindSuccessor = lambda: None,
) -> int:
    """Run an engine behind a port until the server is stopped or the engine cannot start.

    An engine that fails after it has answered once is restarted. SIGTERM, SIGINT and SIGHUP let
    it finish its answers; a second signal stops it sooner. A successor takes over when it answers,
    and the engine before it finishes its answers; one that cannot start changes nothing.

    Args:
        environment: Variables of the engine besides this process's own.
        listener: The port.
        model_names: For the log.
        find_successor: Called again and again while the engine answers.

    Returns:
        The exit code: the engine's own if it never answered, 0 after SIGHUP, 130 after SIGINT.
        SIGTERM ends this process by that signal.
    """
    import uvloop

    configure_logging()
    with ExitStack() as folders:

        def make_engine(build: BuildCommand) -> EngineProcess:
            folder = folders.enter_context(tempfile.TemporaryDirectory(prefix="serve-"))
            path = str(Path(folder) / "engine")
            return EngineProcess(build(path), environment, path)

        host, port = listener.getsockname()[:2]
        log_data = {"models": model_names, "url": f"http://{host}:{port}/v1"}
        engine = make_engine(build_command)

        def make_successor() -> EngineProcess | None:
            build = find_successor()
            return make_engine(build) if build else None

        supervisor = _Supervisor(engine, make_successor, log_data)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            code = runner.run(supervisor.run(listener))
    if supervisor.stop_signal == signal.SIGTERM:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTERM)
    return 130 if supervisor.stop_signal == signal.SIGINT else code


class _Supervisor:
    """The loop that keeps an engine running.

    Args:
        make_successor: Makes an engine that is to take the place of the running one, if any.
        log_data: What the log says about the server when it answers.

    Attributes:
        stop_signal: The first signal that asked the server to stop; None before.
    """

    def __init__(
        self,
        engine: EngineProcess,
        make_successor: Callable[[], EngineProcess | None],
        log_data: dict[str, Any],
    ) -> None:
        self._engine, self._proxy, self._log_data = engine, Proxy(engine.path), log_data
        self._succession = Succession(make_successor)
        self._drain_seconds = read_drain_seconds()
        self._stop_requested = asyncio.Event()
        self.stop_signal: signal.Signals | None = None

    async def run(self, listener: socket.socket) -> int:
        """Serve at the port; return the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._stop, number)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 65536)), hard))
        server = await loop.create_server(self._proxy.accept, sock=listener, backlog=1024)
        try:
            return await self._restart_until_stopped(loop)
        finally:
            server.close()

    async def _restart_until_stopped(self, loop: asyncio.AbstractEventLoop) -> int:
        delay, has_answered = 0.5, False
        while True:
            started_at = loop.time()
            self._engine.start()
            code = await self._watch()
            has_answered = has_answered or self._proxy.unavailable is None
            if self.stop_signal is not None:
                return 0
            self._proxy.unavailable = RESTARTING
            if not has_answered:
                # It cannot run with these arguments; its own message says why.
                return code or 1
            was_stable = loop.time() - started_at > _STABLE_AFTER
            delay = 1.0 if was_stable else min(2 * delay, _MAX_RESTART_DELAY)
            log_event("engine ended", code=code, again_in_seconds=delay)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop_requested.wait(), delay)
                return 0

    async def _watch(self) -> int:
        """Check the engine's health until it ends; return its exit code.

        Requests are let through from its first good answer on. An engine that hangs is killed.
        """
        end = asyncio.create_task(asyncio.to_thread(self._engine.wait))
        now = asyncio.get_running_loop().time
        checked_at = healthy_at = now()
        while not end.done():
            if self._proxy.unavailable is None and (successor := self._succession.find_ready()):
                end = self._hand_over(successor, end)
                healthy_at = now()
            due = self._proxy.unavailable or now() - checked_at > _HEALTH_INTERVAL
            if self.stop_signal is None and due:
                checked_at = now()
                if await self._engine.is_healthy():
                    healthy_at = checked_at
                    self._let_requests_in()
                elif self._proxy.unavailable is None and now() - healthy_at > _HANG_TIMEOUT:
                    log_event("engine hangs", seconds=_HANG_TIMEOUT)
                    self._engine.kill()
            await asyncio.wait({end}, timeout=_POLL_INTERVAL)
        self._engine.clean_up()
        return end.result()

    def _hand_over(self, successor: RunningEngine, end: asyncio.Task[int]) -> asyncio.Task[int]:
        """Send new connections to a successor; return the task of its end.

        Those that are open stay with the engine before it, until their answers are finished.
        """
        old, self._engine = self._engine, successor.engine
        self._proxy.path = self._engine.path
        wait = self._drain_seconds + _KILL_GRACE
        overdue = asyncio.get_running_loop().call_later(wait, old.kill)
        end.add_done_callback(lambda _: overdue.cancel())
        end.add_done_callback(lambda _: old.clean_up())
        old.terminate()
        log_event("engine replaced")
        return successor.end

    def _let_requests_in(self) -> None:
        if self._proxy.unavailable is not None and self.stop_signal is None:
            self._proxy.unavailable = None
            log_event("serving", **self._log_data)

    def _stop(self, number: signal.Signals) -> None:
        """Handle a signal: drain after the first, and shorten the wait after the second."""
        repeated = self.stop_signal is not None
        self.stop_signal = self.stop_signal or number
        self._proxy.unavailable = DRAINING
        self._stop_requested.set()
        if not repeated:
            log_event("draining", seconds=self._drain_seconds)
        self._succession.close()
        self._engine.terminate()
        wait = _KILL_GRACE if repeated else self._drain_seconds + _KILL_GRACE
        asyncio.get_running_loop().call_later(wait, self._engine.kill)
