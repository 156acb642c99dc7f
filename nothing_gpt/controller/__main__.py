"""The command of the controller; `make demo` starts it beside the server and the room."""

import argparse
import os
import signal
import threading
from typing import NoReturn

from nothing_gpt.controller.controller import Controller
from nothing_gpt.controller.link import read_token
from nothing_gpt.controller.server import ControllerServer
from nothing_gpt.errors import reported_errors
from nothing_gpt.files import locked_folder
from nothing_gpt.workspace import Workspace

_STOP_SECONDS = 12
"""Time for a training to save its last step when the controller is stopped."""


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m nothing_gpt.controller", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1")
    parser.add_argument("--base", default="smollm2", help="the base to train on, as of train")
    options = parser.parse_args()
    with reported_errors():
        token, workspace = read_token(os.environ), Workspace.default()
        with locked_folder(workspace.new_show, "another controller uses it"):
            controller = Controller(workspace, options.base)
            server = ControllerServer(options.port, controller, token)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            signal.signal(signal.SIGTERM, _interrupt)
            try:
                threading.Event().wait()
            finally:
                controller.close(_STOP_SECONDS)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
