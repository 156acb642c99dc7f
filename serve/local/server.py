"""Runs the local engine: listens at once, and answers when the model is in memory."""

import asyncio
import logging
import socket
import threading
from types import FrameType

import uvicorn

from serve.gate import Gate, Settings
from serve.local.api import Api
from serve.offer import Offer

_PATIENCE = 5  # seconds that running streams get to finish when the server is stopped

logger = logging.getLogger("serve")


class _Server(uvicorn.Server):
    def __init__(self, api: Api, settings: Settings) -> None:
        config = uvicorn.Config(
            Gate(api, settings),
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=2 * _PATIENCE,
        )
        super().__init__(config)
        self._api = api

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().call_later(_PATIENCE, self.cut)
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # A second Ctrl-C means now; uvicorn would answer it with a traceback.
        if self.should_exit:
            self.cut()
        else:
            super().handle_exit(sig, frame)

    def cut(self) -> None:
        """End what still runs."""
        if self._api.scheduler is not None:
            self._api.scheduler.close()


def run(
    offer: Offer,
    listener: socket.socket,
    *,
    max_length: int | None = None,
    max_sequences: int = 8,
    max_waiting: int = 64,
) -> None:
    """Serve on a bound socket until SIGINT or SIGTERM.

    Args:
        max_length: Tokens of prompt and completion together; None for what the model allows.
        max_sequences: Sequences generated at once.
        max_waiting: Requests that may wait besides.

    Raises:
        UserError: the model cannot be loaded.
    """
    logging.basicConfig(format="%(asctime)s %(message)s")
    logger.setLevel(logging.INFO)
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    api = Api()
    server = _Server(api, Settings.of(offer, max_sequences + max_waiting))
    failures: list[Exception] = []

    def load() -> None:
        try:
            # Here, because importing takes seconds in which health is asked for already.
            from serve.local.model import Model
            from serve.local.scheduler import Scheduler

            model = Model(offer, rows=max_sequences, limit=max_length)
            api.scheduler = Scheduler(model, max_sequences, api.send)
        except Exception as error:  # noqa: BLE001 - raised again in the main thread
            failures.append(error)
            server.should_exit = True
        else:
            host, port = listener.getsockname()[:2]
            logger.info("serving %s on http://%s:%d/v1", ", ".join(offer.models), host, port)

    threading.Thread(target=load, name="loader", daemon=True).start()
    try:
        server.run(sockets=[listener])
    finally:
        server.cut()
    if failures:
        raise failures[0]
