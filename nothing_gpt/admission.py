"""Who may use a server: everybody, those with a login, or only this machine.

A server on a loopback address is reached by this machine only, and must be called by its name.

A site can have its own name lead to 127.0.0.1 (DNS rebinding): its page in a browser on this
machine could then read what a server here answers. Such a request has the site's name in its
header `Host`, and one that a foreign page sends has that page's address in `Origin`.
"""

import ipaddress
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"
"""The usual address of this machine, for itself alone."""

LOGIN_VARIABLE = "NOTHING_GPT_ROOM_LOGIN"
"""Environment variable with the name and the password that the room asks for, as NAME:PASSWORD. A
command-line option would be visible in `ps`."""

OPEN_VARIABLE = "NOTHING_GPT_OPEN"
"""Environment variable; if it is 1, a server that others reach may ask for no login and no key."""


NAMES_VARIABLE = "NOTHING_GPT_NAMES"
"""Environment variable by which `serve` tells its engine that it is on a loopback address, and its
further names, separated by commas."""


def is_open(environment: Mapping[str, str]) -> bool:
    """Tell whether a server is meant to be open to whoever reaches it."""
    return environment.get(OPEN_VARIABLE, "") not in ("", "0")


def is_loopback(name: str) -> bool:
    """Tell whether a name or an address is that of this machine, for itself alone."""
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def is_for_us(host: str, origin: str | None, names: Collection[str]) -> bool:
    """Tell whether a request at a loopback address calls this server by one of its names.

    Args:
        host: The header `Host`.
        origin: The header `Origin`; None without one.
        names: Further names of the server, in lower case.
    """
    addresses = [f"//{host}"] if origin is None else [f"//{host}", origin]
    return all(is_loopback(name) or name in names for name in map(_read_name, addresses))


def _read_name(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
