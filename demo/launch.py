"""The web server of the writers' room."""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from demo.generation.client import ModelClient
from demo.session.rate_limit import RateLimits
from nothing_gpt.errors import UserError
from nothing_gpt.show import Show

_HERE = Path(__file__).parent
STYLES = tuple(_HERE / "static" / f"{name}.css" for name in ("theme", "layout", "script"))

LOGIN = "NOTHING_GPT_ROOM_LOGIN"
"""Environment variable with name and password. A command-line option would be visible in `ps`."""

MAX_THREADS = 200
"""Handlers that run at the same time. With Gradio's default of 40, the 41st writer waits until
another one's continuation is complete."""

ANALYTICS_EVENTS = "100"
"""Events of which Gradio keeps statistics. It makes a table of all of them again and again."""


@dataclass(frozen=True, slots=True)
class AccessOptions:
    """Who can use the room, and how much.

    Attributes:
        share: Whether to make a public Gradio link.
        mcp: Whether to be an MCP server too.
        login: The name and the password to ask for.

    Raises:
        UserError: the options contradict each other.
    """

    share: bool = False
    mcp: bool = False
    login: tuple[str, str] | None = None
    limits: RateLimits = field(default_factory=RateLimits)

    def __post_init__(self) -> None:
        # Gradio mounts its MCP server beside the pages, without the login.
        if self.mcp and self.login:
            raise UserError(
                "the MCP server would let in whoever comes, without the room's login; leave out "
                "--mcp, or the login"
            )


LOCAL_ACCESS = AccessOptions()


def read_login(environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Read the name and password that the room asks for; None without a login.

    Raises:
        UserError: the variable does not have both.
    """
    text = environment.get(LOGIN, "")
    if not text:
        return None
    name, colon, password = text.partition(":")
    if not (name and colon and password):
        raise UserError(f"{LOGIN} must hold a name and a password, as in NAME:PASSWORD")
    return name, password


def open_room(
    client: ModelClient,
    shows: Mapping[str, Show],
    *,
    show: str,
    model: str = "",
    host: str = "127.0.0.1",
    port: int = 7860,
    access: AccessOptions = LOCAL_ACCESS,
) -> None:
    """Serve the room until Ctrl-C.

    Raises:
        UserError: the port is taken, or the host is not an address of this machine.
    """
    with running_room(client, shows, show=show, model=model, host=host, port=port, access=access):
        threading.Event().wait()


@contextmanager
def running_room(
    client: ModelClient,
    shows: Mapping[str, Show],
    *,
    show: str,
    model: str = "",
    host: str = "127.0.0.1",
    port: int = 7860,
    access: AccessOptions = LOCAL_ACCESS,
) -> Iterator[str]:
    """Serve the room while the block runs; yield its address.

    Raises:
        UserError: the port is taken, or the host is not an address of this machine.
    """
    # Gradio reads these at import. Without --share the room sends nothing to the internet.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = ANALYTICS_EVENTS
    import gradio as gr

    from demo.room import Room

    blocks = Room(client, shows, show, model, access.limits).blocks
    sans = ["ui-sans-serif", "system-ui", "sans-serif"]
    try:
        _, local, public = blocks.launch(
            server_name=host,
            server_port=port,
            share=access.share,
            mcp_server=access.mcp,
            max_threads=MAX_THREADS,
            auth=access.login,
            theme=gr.themes.Base(font=sans, font_mono=["ui-monospace", "monospace"]),
            css_paths=STYLES,
            footer_links=["api"],
            run_history=False,
            quiet=True,
            prevent_thread_lock=True,
        )
    except OSError:
        raise UserError(
            f"port {port} on {host} cannot be opened, mostly because something else is there; "
            f"choose another one by --port"
        ) from None
    print(f"The writers' room is open at {local}", flush=True)
    if access.share and not public:  # Gradio prints the public address
        print("It could not be shared, see above; it is open here alone.", flush=True)
    yield local
    # Not after Ctrl-C: the process ends then, and close() would wait seconds for open pages.
    blocks.close(verbose=False)
