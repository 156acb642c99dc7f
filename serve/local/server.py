"""Runs the local engine: listens at once, and answers when the model is in memory."""

import logging
import socket
import threading

import uvicorn

from serve.gate import Gate, Settings
from serve.local.api import Api
from serve.local.model import Model
from serve.local.scheduler import Scheduler
from serve.offer import Offer

_PATIENCE = 5  # seconds that running streams get to finish when the server is stopped


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
    logger = logging.getLogger("serve")
    logger.setLevel(logging.INFO)
    api = Api()
    gate = Gate(api, Settings.of(offer, max_sequences + max_waiting))
    server = uvicorn.Server(
        uvicorn.Config(
            gate, log_level="warning", access_log=False, timeout_graceful_shutdown=_PATIENCE
        )
    )
    failures: list[Exception] = []

    def load() -> None:
        try:
            api.scheduler = Scheduler(
                Model(offer, rows=max_sequences, limit=max_length), max_sequences
            )
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
        if api.scheduler is not None:
            api.scheduler.close()
    if failures:
        raise failures[0]
