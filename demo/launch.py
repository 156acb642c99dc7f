"""Opens the room: the web server around the page."""

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

AT_ONCE = 200
"""Handlers that run at once. Of Gradio's own 40, the 41st writer would wait until another's lines
are all there."""

RECORDED = "100"
"""Events of which Gradio keeps count: it makes a table of all of them, time and again."""


@dataclass(frozen=True, slots=True)
class AccessOptions:
    """How the room is opened to others.

    Attributes:
        share: Whether to make a public Gradio link.
        mcp: Whether programs that speak the Model Context Protocol may use it.
        login: The name and the password that it asks for.
    """

    share: bool = False
    mcp: bool = False
    login: tuple[str, str] | None = None
    limits: RateLimits = field(default_factory=RateLimits)

    def __post_init__(self) -> None:
        # Gradio's MCP server is mounted beside the pages and answers without a login.
        if self.mcp and self.login:
            raise UserError(
                "the MCP server would let in whoever comes, without the room's login; leave out "
                "--mcp, or the login"
            )


CLOSED = AccessOptions()


def open_room(
    endpoint: ModelClient,
    shows: Mapping[str, Show],
    *,
    show: str,
    model: str = "",
    host: str = "127.0.0.1",
    port: int = 7860,
    doors: AccessOptions = CLOSED,
) -> None:
    """Serve the room until Ctrl-C.

    Raises:
        UserError: the port is taken, or the host is not this machine's.
    """
    with running_room(endpoint, shows, show=show, model=model, host=host, port=port, doors=doors):
        threading.Event().wait()


@contextmanager
def running_room(
    endpoint: ModelClient,
    shows: Mapping[str, Show],
    *,
    show: str,
    model: str = "",
    host: str = "127.0.0.1",
    port: int = 7860,
    doors: AccessOptions = CLOSED,
) -> Iterator[str]:
    """Serve the room for as long as the block runs; gives its address.

    Raises:
        UserError: the port is taken, or the host is not this machine's.
    """
    # Gradio reads it at import; the room asks nothing of the internet unless it is to be shared.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = RECORDED
    import gradio as gr

    from demo.room import Room

    blocks = Room(endpoint, shows, show, model, doors.limits).blocks
    sans = ["ui-sans-serif", "system-ui", "sans-serif"]
    try:
        _, local, public = blocks.launch(
            server_name=host,
            server_port=port,
            share=doors.share,
            mcp_server=doors.mcp,
            max_threads=AT_ONCE,
            auth=doors.login,
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
    if doors.share and not public:  # where it is public, Gradio has said where
        print("It could not be shared, see above; it is open here alone.", flush=True)
    yield local
    # Not after Ctrl-C: the process ends, and closing would wait seconds for pages still open.
    blocks.close(verbose=False)
