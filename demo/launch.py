"""Opens the room: the web server around the page."""

import os
import threading
from collections.abc import Mapping
from pathlib import Path

from demo.client import Endpoint
from nothing_gpt.errors import UserError
from nothing_gpt.show import Show

STYLE = Path(__file__).parent / "style.css"


def open_room(
    endpoint: Endpoint,
    shows: Mapping[str, Show],
    *,
    show: str,
    model: str = "",
    host: str = "127.0.0.1",
    port: int = 7860,
    share: bool = False,
) -> None:
    """Serve the room until Ctrl-C.

    Raises:
        UserError: the port is taken.
    """
    # Gradio reads it at import; the room asks nothing of the internet unless it is to be shared.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    import gradio as gr

    from demo.room import Room

    blocks = Room(endpoint, shows, show, model).blocks
    sans = ["ui-sans-serif", "system-ui", "sans-serif"]
    theme = gr.themes.Base(font=sans, font_mono=["ui-monospace", "monospace"])
    try:
        _, local, public = blocks.launch(
            server_name=host,
            server_port=port,
            share=share,
            theme=theme,
            css_paths=STYLE,
            footer_links=["api"],
            run_history=False,
            quiet=True,
            prevent_thread_lock=True,
        )
    except OSError:
        raise UserError(f"port {port} on {host} is taken; choose another one by --port") from None
    print(f"The writers' room is open at {local}", flush=True)
    if share and public:
        print(f"and for others, for as long as it runs, at {public}", flush=True)
    elif share:
        print("It could not be shared, see above; it is open on this machine only.", flush=True)
    try:
        threading.Event().wait()
    finally:
        blocks.close(verbose=False)
