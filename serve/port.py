"""The port a server listens on, taken before anything slow begins."""

import socket

from nothing_gpt.errors import UserError


def take(host: str, port: int) -> socket.socket:
    """Bind and listen.

    Raises:
        UserError: the port is occupied, or the address is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = error.strerror or error
        raise UserError(
            f"cannot listen on {host} port {port} ({reason}); choose another with --port or --host"
        ) from None
