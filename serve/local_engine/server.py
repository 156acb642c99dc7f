"""Runs the local engine: listens at once, and answers when the model is in memory."""

import logging
import threading
import time
from types import FrameType

import uvicorn

from serve.local_engine.api import LocalApi
from serve.middleware.gateway import Gateway, GatewaySettings
from serve.middleware.logs import set_up
from serve.models.served_models import ServedModels
from serve.process.supervisor import read_drain


class EngineFailedError(Exception):
    """The engine failed for good while the process lived."""


class _Server(uvicorn.Server):
    """Serves until it is told to stop, and then until what runs is finished, within a bound."""

    def __init__(self, api: LocalApi, settings: GatewaySettings, path: str) -> None:
        self._api, self._gate = api, Gateway(api, settings)
        self._deadline: float | None = None
        super().__init__(
            uvicorn.Config(
                self._gate,
                uds=path,
                log_config=None,
                access_log=False,
                # After the deadline the streams are cut, and get this long to say so.
                timeout_graceful_shutdown=5,
            )
        )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain; a second signal means now."""
        self._captured_signals.append(sig)
        if self._deadline is None:
            self._gate.draining, self._deadline = True, time.monotonic() + read_drain()
        else:
            self._deadline = 0.0

    async def on_tick(self, counter: int) -> bool:
        """Stop when there is nothing more to wait for; uvicorn asks ten times a second."""
        late = self._deadline is not None and time.monotonic() > self._deadline
        idle = self._deadline is not None and not self._gate.in_hand
        if late or self.has_failed():
            self.cut()
        if late or idle or self.has_failed():
            self.should_exit = True
        return await super().on_tick(counter)

    def has_failed(self) -> bool:
        """Whether the engine has failed for good."""
        return self._api.scheduler is not None and self._api.scheduler.failure is not None

    def cut(self) -> None:
        """End what still runs."""
        if self._api.scheduler is not None:
            self._api.scheduler.close()


def run(
    offer: ServedModels,
    path: str,
    *,
    max_length: int | None = None,
    max_sequences: int = 8,
    max_waiting: int = 64,
) -> None:
    """Serve at a Unix socket until SIGTERM.

    Args:
        path: The socket's.
        max_length: Tokens of prompt and completion together; None for what the model allows.
        max_sequences: Sequences generated at once.
        max_waiting: Requests that may wait besides.

    Raises:
        UserError: the model cannot be loaded.
        EngineFailedError: it failed for good later.
    """
    set_up()
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    api = LocalApi()
    server = _Server(api, GatewaySettings.of(offer, max_sequences + max_waiting), path)
    failures: list[Exception] = []

    def load() -> None:
        try:
            # Here, because importing takes seconds in which health is asked for already.
            from serve.local_engine.model import LocalModel
            from serve.local_engine.scheduler import Scheduler

            model = LocalModel(offer, rows=max_sequences, limit=max_length)
            model.check_adapters()
            api.scheduler = Scheduler(model, max_sequences, api.send)
        except Exception as error:  # noqa: BLE001 - raised again in the main thread
            failures.append(error)
            server.should_exit = True

    threading.Thread(target=load, name="loader", daemon=True).start()
    try:
        server.run()
    finally:
        server.cut()
    if failures:
        raise failures[0]
    if server.has_failed():
        raise EngineFailedError("the engine failed; the log above says how")
