"""The port of the server, bound before anything slow starts."""

import socket

from nothing_gpt.errors import UserError


def bind_port(host: str, port: int) -> socket.socket:
    """Bind a port and listen on it.

    Raises:
        UserError: the port is in use, or the address does not belong to this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
        # asyncio sets this only on sockets with an explicit protocol. Without it the first words
        # of a stream wait 40 ms for the client's acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as error:
        reason = str(error.strerror or error).split(" (while")[0]
        raise UserError(
            f"cannot listen on {host} port {port} ({reason}); choose another with --port or --host"
        ) from None
