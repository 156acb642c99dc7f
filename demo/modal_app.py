"""The writers' room on Modal, beside the endpoint: `modal deploy -m demo`.

Whoever knows its address writes on your GPU; `python -m demo --base-url ...` is for you alone.
"""

import os
from contextlib import ExitStack

import modal

from deployment.credentials import API_KEY, endpoint_secrets
from deployment.facts import DEMO, ENDPOINT, MOUNT, SERVE, VOLUME
from deployment.images import add_code, add_folder, build_image
from deployment.storage import open_volume
from nothing_gpt.adapter.manifest import list_adapters
from nothing_gpt.errors import UserError
from nothing_gpt.workspace import Workspace

PORT = 7860

_open = ExitStack()
"""Keeps the room open while the container lives."""

app = modal.App(DEMO, include_source=False)
volume = open_volume()
keys = endpoint_secrets(is_open=bool(os.environ.get("NOTHING_GPT_OPEN")))
image = add_folder(add_code(build_image("demo"), "script_formats"), "demo")


@app.function(
    image=image,
    volumes={MOUNT: volume},
    secrets=keys,
    env={"NOTHING_GPT_OPEN": os.environ.get("NOTHING_GPT_OPEN", "")},
    cpu=1,
    memory=1024,
    timeout=60 * 60,
    scaledown_window=10 * 60,
    # A visit lives in one container's memory.
    max_containers=1,
)
@modal.concurrent(max_inputs=100)
@modal.web_server(PORT, startup_timeout=120)
def room() -> None:
    """Open the room for as long as the container lives."""
    endpoint = modal.Cls.from_name(SERVE, ENDPOINT)().web
    start(f"{endpoint.get_web_url()}/v1", Workspace.default())


def start(base_url: str, place: Workspace, port: int = PORT) -> None:
    """Open the room in the background, for the shows that the adapters on the volume write for.

    Raises:
        UserError: there is no adapter yet.
    """
    from demo.generation.client import ModelClient
    from demo.launch import running_room

    found = list_adapters(place.adapters).values()
    shows = {manifest.show.name: manifest.show for manifest in found}
    if not shows:
        raise UserError(f"no adapter on the volume '{VOLUME}'; train one first")
    key = os.environ.get(API_KEY.key, "").split(",")[0].strip() or "none"
    host = "0.0.0.0"  # noqa: S104 - Modal looks for a web server at the outer address
    room = running_room(ModelClient(base_url, key), shows, show=min(shows), host=host, port=port)
    _open.enter_context(room)
