"""The Modal app of the writers' room: `modal deploy -m demo`.

It asks for the login in the secret `nothing-gpt-room-login`; Modal refuses to deploy it without.
With NOTHING_GPT_OPEN=1 it has no login: everyone who knows its address can use your GPU.
"""

import os
from contextlib import ExitStack

import modal

from deployment.credentials import API_KEY, ROOM_LOGIN, access_secrets
from deployment.endpoint import find_endpoint, read_own_key
from deployment.facts import DEMO, MOUNT, VOLUME
from deployment.images import add_code, add_folder, build_image
from deployment.storage import open_volume
from nothing_gpt.adapter.manifest import list_adapters
from nothing_gpt.admission import OPEN_VARIABLE, is_open
from nothing_gpt.errors import UserError
from nothing_gpt.workspace import Workspace

PORT = 7860

_running = ExitStack()
"""Keeps the room open until the container stops."""

app = modal.App(DEMO, include_source=False)
volume = open_volume()
image = add_folder(add_code(build_image("demo"), "script_formats"), "demo")


@app.function(
    image=image,
    volumes={MOUNT: volume},
    secrets=access_secrets(API_KEY, ROOM_LOGIN),
    env={OPEN_VARIABLE: os.environ.get(OPEN_VARIABLE, "")},
    cpu=1,
    memory=1024,
    timeout=60 * 60,
    scaledown_window=10 * 60,
    # A session is in the memory of one container.
    max_containers=1,
)
@modal.concurrent(max_inputs=100)
@modal.web_server(PORT, startup_timeout=120)
def room() -> None:
    """Open the room until the container stops."""
    start(find_endpoint(), Workspace.default())


def start(base_url: str, workspace: Workspace, port: int = PORT) -> None:
    """Open the room in the background, with the shows of the adapters on the volume.

    Raises:
        UserError: there is no adapter, or no login in a room that is not meant to be open.
    """
    from demo.access.options import AccessOptions, read_login
    from demo.generation.client import ModelClient
    from demo.launch import running_room

    manifests = list_adapters(workspace.adapters).values()
    shows = {manifest.show.name: manifest.show for manifest in manifests}
    if not shows:
        raise UserError(f"no adapter on the volume '{VOLUME}'; train one first")
    host = "0.0.0.0"  # noqa: S104 - Modal connects from outside the container
    access = AccessOptions(login=read_login(os.environ), is_open=is_open(os.environ))
    client = ModelClient(base_url, read_own_key())
    room = running_room(client, shows, show=min(shows), host=host, port=port, access=access)
    _running.enter_context(room)
