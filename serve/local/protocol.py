"""HTTP for clients that may be slow on purpose."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_PATIENCE = 20.0  # seconds for a new connection to send a whole head


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's own protocol, which closes idle connections only after their first request."""

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._waiting = asyncio.get_running_loop().call_later(_PATIENCE, transport.abort)

    def on_headers_complete(self) -> None:
        """Stop waiting: the head is whole."""
        self._waiting.cancel()
        super().on_headers_complete()

    def on_message_begin(self) -> None:
        """Wait for the rest of a head, on a connection that is used again too."""
        self._waiting.cancel()
        abort = self.transport.abort
        self._waiting = asyncio.get_running_loop().call_later(_PATIENCE, abort)
        super().on_message_begin()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting: the client is gone."""
        self._waiting.cancel()
        super().connection_lost(exc)
