"""The web server of the writers' room."""

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import TextIO, cast
from urllib.parse import urlsplit

from demo.access.options import LOCAL_ACCESS, AccessOptions
from demo.access.short_lines import ShortLines
from demo.generation.client import ModelClient
from nothing_gpt.admission import is_loopback
from nothing_gpt.controller.link import allows_shared_training, read_link
from nothing_gpt.errors import UserError
from nothing_gpt.show import Show

_HERE = Path(__file__).parent
MEDIA_STYLE = _HERE / "static" / "media.css"
STYLES = tuple(
    _HERE / "static" / f"{name}.css"
    for name in ("theme", "layout", "script", "dialogs", "new_show")
)

MAX_THREADS = 200
"""Handlers that run at the same time. With Gradio's default of 40, the 41st writer waits until
another one's continuation is complete."""

ANALYTICS_EVENTS = "100"
"""Events of which Gradio keeps statistics. It makes a table of all of them again and again."""


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
        UserError: the port is taken, the host is not an address of this machine, or others reach
            the room, which has no login and is not meant to be open.
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
        UserError: the port is taken, the host is not an address of this machine, or others reach
            the room, which has no login and is not meant to be open.
    """
    # Gradio reads these at import. Without --share the room sends nothing to the internet.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = ANALYTICS_EVENTS
    # uvicorn reads this one: by default it takes a visitor's address from a header of whoever
    # connects from this machine, such as Gradio's tunnel.
    os.environ.setdefault("FORWARDED_ALLOW_IPS", "")
    limits = access.choose_limits(host)
    import gradio as gr
    from starlette.middleware import Middleware

    from demo.access.gate import Gate, GateRules
    from demo.access.head_deadline import use_head_deadline
    from demo.access.routes import OpenRoutes
    from demo.api import ENDPOINTS
    from demo.controller.client import ControllerClient
    from demo.room import Room
    from demo.ui.new_show.panel import NO_CONTROLLER, SHARED

    use_head_deadline()
    routes = OpenRoutes(ENDPOINTS, mcp=access.mcp)
    rules = GateRules(routes, {name.lower() for name in access.names}, not is_loopback(host))
    link = read_link(os.environ)
    controller: ControllerClient | str = NO_CONTROLLER
    if link and access.is_reachable(host) and not allows_shared_training(os.environ):
        controller = SHARED
    elif link:
        controller = ControllerClient(link)
    blocks = Room(client, shows, show, model, limits, controller).blocks
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
            head=f"<style>{MEDIA_STYLE.read_text(encoding='utf-8')}</style>",
            footer_links=["api"],
            run_history=False,
            quiet=True,
            prevent_thread_lock=True,
            app_kwargs={"middleware": [Middleware(Gate, rules=rules)]},
        )
    except OSError:
        raise UserError(
            f"port {port} on {host} cannot be opened, mostly because something else is there; "
            f"choose another one by --port"
        ) from None
    print(f"The writers' room is open at {local}", flush=True)
    if public:
        rules.names.add(str(urlsplit(public).hostname))
    if access.share and not public:  # Gradio prints the public address
        print("It could not be shared, see above; it is open here alone.", flush=True)
    # Tracebacks repeat what visitors have sent.
    with redirect_stderr(cast(TextIO, ShortLines(sys.stderr))):
        yield local
    # Not after Ctrl-C: the process ends then, and close() would wait seconds for open pages.
    blocks.close(verbose=False)
