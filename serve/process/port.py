"""The port a server listens on, taken before anything slow begins."""

import socket

from nothing_gpt.errors import UserError


def bind_port(host: str, port: int) -> socket.socket:
    """Bind and listen.

    Raises:
        UserError: the port is occupied, or the address is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
        # asyncio sets this only on sockets whose protocol is spelt out; without it the first
        # words of a stream wait 40 ms for the client's acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as error:
        reason = str(error.strerror or error).split(" (while")[0]
        raise UserError(
            f"cannot listen on {host} port {port} ({reason}); choose another with --port or --host"
        ) from None
