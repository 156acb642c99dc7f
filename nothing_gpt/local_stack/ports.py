"""TCP ports of this machine."""

import socket

from nothing_gpt.admission import LOOPBACK
from nothing_gpt.errors import UserError


def check_port(port: int) -> None:
    """Check that a port is free.

    Raises:
        UserError: another process listens at it.
    """
    if _bind(port) is None:
        raise UserError(f"port {port} is taken; choose another with PORT=...")


def find_free_port(preferred: int) -> int:
    """Return the preferred port if it is free, and any free port otherwise; 0 prefers none.

    Raises:
        UserError: no port is free.
    """
    port = _bind(preferred) or _bind(0)
    if port is None:
        raise UserError("no port is free")
    return port


def _bind(port: int) -> int | None:
    """Bind a port for a moment; return its number (any free one for 0), or None if it is taken."""
    with socket.socket() as probe:
        # Without this, a port that was closed a moment ago counts as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return None
        number: int = probe.getsockname()[1]
        return number
