"""A deadline for the heads of requests, which uvicorn does not have.

Without one, a client that sends half a head holds its connection for ever. Gradio makes uvicorn's
configuration itself, so the class below takes the place of uvicorn's own in its table.
"""

import asyncio

import uvicorn.config
from uvicorn.protocols.http.auto import AutoHTTPProtocol

SECONDS = 10.0
"""Time for the head of a request, from the connection or from the head's first byte."""


class HttpProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """uvicorn's protocol, which closes a connection whose request has no whole head in time."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Start the deadline."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Start the deadline with a head, and end it with the head's end."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the deadline."""
        super().connection_lost(exc)
        self._stop()

    def _watch(self) -> None:
        # A cycle is a request with a whole head, until it is answered.
        has_head = self.cycle is not None and not self.cycle.response_complete
        if has_head or self.transport.is_closing():
            self._stop()
        elif self._deadline is None:
            self._deadline = asyncio.get_running_loop().call_later(SECONDS, self.transport.close)

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def use_head_deadline() -> None:
    """Make the servers that are started from now on close connections without a whole head."""
    uvicorn.config.HTTP_PROTOCOLS["auto"] = f"{__name__}:{HttpProtocol.__name__}"
