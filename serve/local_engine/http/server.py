"""The local engine's process: it listens at once, and answers when the model is in memory."""

import logging
import threading
import time
from collections.abc import Sequence
from types import FrameType

import uvicorn

from nothing_gpt.workspace import Workspace
from serve.local_engine.http.api import LocalApi
from serve.logs import configure_logging
from serve.middleware.asgi import App
from serve.middleware.cross_origin import CrossOrigin
from serve.middleware.gateway import Gateway
from serve.middleware.gateway_settings import GatewaySettings
from serve.models.served_models import ServedModels
from serve.process.proxy import KEEP_ALIVE
from serve.process.supervisor import read_drain_seconds


class EngineFailedError(Exception):
    """The engine can no longer generate anything, though its process still runs."""


class _Server(uvicorn.Server):
    """A uvicorn server that finishes running answers before it stops, within a limit."""

    def __init__(self, api: LocalApi, settings: GatewaySettings, path: str) -> None:
        self._api, self._gateway = api, Gateway(api, settings)
        app: App = CrossOrigin(self._gateway, settings) if settings.origins else self._gateway
        self._deadline: float | None = None
        super().__init__(
            uvicorn.Config(
                app,
                uds=path,
                log_config=None,
                access_log=False,
                timeout_keep_alive=KEEP_ALIVE,
                # Time for streams that were cut at the deadline to send their error.
                timeout_graceful_shutdown=5,
            )
        )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Start to drain; a second signal cuts the running answers."""
        # Private in uvicorn: after the shutdown it raises these signals again, so that the process
        # ends by them. The method that is overridden here would fill the list, but also stop at
        # once.
        self._captured_signals.append(sig)
        if self._deadline is None:
            self._gateway.drain()
            self._deadline = time.monotonic() + read_drain_seconds()
        else:
            self._deadline = 0.0

    async def on_tick(self, counter: int) -> bool:
        """Stop when nothing is left to wait for; uvicorn calls this ten times a second."""
        draining = self._deadline is not None
        overdue = self._deadline is not None and time.monotonic() > self._deadline
        if overdue or self.has_failed():
            self.close_scheduler()
        if overdue or self.has_failed() or (draining and not self._gateway.active_requests):
            self.should_exit = True
        return await super().on_tick(counter)

    def has_failed(self) -> bool:
        """Return whether the engine can no longer generate anything."""
        return self._api.scheduler is not None and self._api.scheduler.failure is not None

    def close_scheduler(self) -> None:
        """End what is still running."""
        if self._api.scheduler is not None:
            self._api.scheduler.close()


def run_local_engine(
    models: ServedModels,
    workspace: Workspace,
    path: str,
    *,
    max_length: int | None = None,
    max_sequences: int = 8,
    max_waiting: int = 64,
    origins: Sequence[str] = (),
) -> None:
    """Serve at a Unix socket until SIGTERM.

    Args:
        workspace: Where the held-out examples are, by which the precision is chosen.
        path: The socket's path.
        max_length: Tokens of prompt and completion together; None for the model's own limit.
        max_sequences: Sequences generated at once.
        max_waiting: Requests that can wait in addition.
        origins: Origins of pages that may read answers.

    Raises:
        UserError: the model cannot be loaded.
        EngineFailedError: the engine failed later.
    """
    configure_logging()
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    api = LocalApi()
    settings = GatewaySettings.for_models(models, max_sequences + max_waiting, origins)
    server = _Server(api, settings, path)
    failures: list[Exception] = []

    def load() -> None:
        try:
            # Imported here, because health is already requested in the seconds that this takes.
            from serve.local_engine.model import LocalModel
            from serve.local_engine.precision import choose_precision
            from serve.local_engine.scheduling.scheduler import Scheduler

            model = LocalModel(models, rows=max_sequences, max_length=max_length)
            choose_precision(model, models, workspace)
            model.check_adapters()
            api.scheduler = Scheduler(model, max_sequences, api.send)
        except Exception as error:  # noqa: BLE001 - raised again in the main thread
            failures.append(error)
            server.should_exit = True

    threading.Thread(target=load, name="loader", daemon=True).start()
    try:
        server.run()
    finally:
        server.close_scheduler()
    if failures:
        raise failures[0]
    if server.has_failed():
        raise EngineFailedError("the engine failed; the log above says how")
